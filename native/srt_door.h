// The door: may this SRT caller in? Answered in libsrt's receive thread within a few microseconds, from
// tables that JavaScript pushed down before.
//
// JavaScript is the authority. The door repeats what src/core/admission and src/ingest/identity.ts would
// say, in their order, so that a refusal costs no thread switch: rules follow the config, entries are the
// refusals in force now. Whoever passes is decided on again by the very admission when it is accepted, so
// a stale table lets somebody come that far, and never keeps a limit from holding.
#ifndef HEADGATE_SRT_DOOR_H_
#define HEADGATE_SRT_DOOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "srt_address.h"
#include "srt_stream_id.h"

namespace headgate {

/// Rejection codes of the API (access_control.h of libsrt); on the wire libsrt adds 1000.
namespace srt_code {
constexpr uint16_t IN = 0;
constexpr uint16_t BAD_REQUEST = 1400;
constexpr uint16_t UNAUTHORIZED = 1401;
constexpr uint16_t OVERLOAD = 1402;
constexpr uint16_t FORBIDDEN = 1403;
constexpr uint16_t NOT_FOUND = 1404;
constexpr uint16_t CONFLICT = 1409;
constexpr uint16_t DOWN = 1503;
}  // namespace srt_code

/// Why: one of these, or, from 1 on, the number of an entry (its index + 1) in the entries of `version`.
#define HEADGATE_DOOR_CAUSES(X)                                                                    \
  X(NONE, 0)            /* let in */                                                               \
  X(BAD_STREAM_ID, -1)  /* 1400; stream_id_error says what */                                      \
  X(UNKNOWN_KEY, -2)    /* 1401 */                                                                 \
  X(DENIED, -3)         /* 1403, the deny list */                                                  \
  X(BEHIND, -4)         /* 1402, the listener's own: too many let in and not accepted yet */       \
  X(NOT_READY, -5)      /* 1503, no rules yet */                                                   \
  X(NO_SUCH_STREAM, -6) /* 1404, a player of what nobody publishes */                              \
  X(PASSPHRASE, -7)     /* the listener's own: let in, then wrong or missing */
namespace door_cause {
#define HEADGATE_DOOR_CAUSE(name, value) constexpr int32_t name = value;
HEADGATE_DOOR_CAUSES(HEADGATE_DOOR_CAUSE)
#undef HEADGATE_DOOR_CAUSE
}  // namespace door_cause

/// One stream key of keys mode.
struct DoorKey {
  std::string secret;
  std::string client;
  std::string tier;        ///< empty: none
  std::string name;        ///< public
  std::string key_id;      ///< names the key without being it, as identity.ts says
  std::string passphrase;  ///< empty: none of its own
};

/// A passphrase for those who match. Globs as src/core/policy/glob.ts has them; empty = any.
struct DoorPolicy {
  std::string app;
  std::string stream;
  bool has_network = false;
  Network network{};
  std::string client;
  std::string tier;
  std::string passphrase;  ///< may be empty: then no passphrase is asked for
};

/// What the config says, as plain values.
struct DoorConfig {
  bool keys_mode = false;
  uint8_t ipv6_prefix = 64;
  std::string passphrase;  ///< of the listener
  std::vector<Network> allow;
  std::vector<Network> deny;
  std::vector<DoorKey> keys;         ///< of a secret or name given twice the last holds, as in identity.ts
  std::vector<DoorPolicy> policies;  ///< the first that matches gives the passphrase
};

enum class EntryKind : uint8_t {
  all,         ///< every caller
  address,     ///< callers of `address`
  client,      ///< publishers of the client `name`; in open mode of `address`, with `name` empty
  key,         ///< publishers with the key id `name`
  path,        ///< `/app/name` is live: publishers but its owner are refused, players find it
  publishers,  ///< everybody who would publish
  players,     ///< everybody who would play
};

/// One refusal in force. Entries stand in the order of the checks of admission.ts: of those that hold
/// for a caller at connect (`all`, `address`), and then at publish, the first is told.
struct DoorEntry {
  EntryKind kind = EntryKind::all;
  std::string name;
  AddressKey address{};
  uint16_t code = srt_code::OVERLOAD;
  double until = 0;          ///< monotonic ms; from then on it holds no more (a path is live nevertheless)
  bool even_exempt = false;  ///< holds for addresses on the allow list too; `key`, `path` and `players` always do
  /// The owner of a path may come back: whether its stream is a ghost is decided after the door. So the
  /// owner also passes `client` and `publishers` entries, which count the stream it would replace.
  std::string owner_key;  ///< key id; empty: nobody may come back
};

class DoorRules;    // srt_door_tables.h: a DoorConfig with its indexes
class DoorEntries;  // srt_door_tables.h: a version and its entries with their indexes

std::shared_ptr<const DoorRules> make_door_rules(DoorConfig config);
std::shared_ptr<const DoorEntries> make_door_entries(uint64_t version, std::vector<DoorEntry> entries);

struct DoorVerdict {
  uint16_t code;           ///< srt_code::IN, or what the caller is told
  int32_t cause;           ///< door_cause, or the number of an entry
  uint64_t version;        ///< of the entries it was judged by
  bool play;
  StreamId id;             ///< empty when it was not read: whoever may not connect is not listened to
  StreamIdError stream_id_error;
  std::string path;        ///< public, `/app/name`; empty while the name may be a secret
  std::string client;      ///< who it is; empty when unknown, and for players
  std::string passphrase;  ///< to be set on the socket when let in; empty: none
};

/// install() from any thread, judge() from libsrt's. Neither waits for longer than one judgement takes.
class SrtDoor {
 public:
  void install(std::shared_ptr<const DoorRules> rules);
  void install(std::shared_ptr<const DoorEntries> entries);

  /// `now` is monotonic ms on the clock of the entries. `out` is overwritten whole; keeping it from one
  /// call to the next saves its allocations.
  void judge(const sockaddr* peer, const char* stream_id, size_t length, double now, DoorVerdict& out);

 private:
  std::mutex mutex_;
  std::shared_ptr<const DoorRules> rules_;
  std::shared_ptr<const DoorEntries> entries_;
};

}  // namespace headgate

#endif  // HEADGATE_SRT_DOOR_H_
