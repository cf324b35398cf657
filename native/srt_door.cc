#include "srt_door.h"

#include <algorithm>

#include "srt_door_tables.h"

namespace headgate {

namespace {

constexpr uint32_t kNobody = HashIndex::kNone;

/// The allow list spares an address the limits on publishers; a cooldown of its key, a name that is taken and
/// the cap on players are none.
constexpr bool holds_for_exempt(EntryKind kind) {
  return kind == EntryKind::key || kind == EntryKind::path || kind == EntryKind::players;
}

/// One judgement: who asks, and the tables it is judged by.
class Judgement {
 public:
  Judgement(const DoorRules& rules, const DoorEntries* entries, double now, DoorVerdict& out)
      : rules_(rules), entries_(entries), now_(now), out_(out) {}

  /// The order is that of Admission.connect, then IdentityDirectory.resolve, then Admission.publish.
  void run(const sockaddr* peer, const char* stream_id, size_t length) {
    if (!address_of(peer, address_)) return refuse(srt_code::FORBIDDEN, door_cause::DENIED);
    if (rules_.denies(address_)) return refuse(srt_code::FORBIDDEN, door_cause::DENIED);
    exempt_ = rules_.exempts(address_);
    limited_ = limit_key(address_, rules_.ipv6_prefix());
    const uint32_t closed =
        std::min(standing(EntryKind::all, {}), standing(EntryKind::address, subject_of(limited_)));
    if (closed != kNobody) return refuse(closed);
    out_.stream_id_error = parse_stream_id(stream_id, length, out_.id);
    if (out_.stream_id_error != StreamIdError::none) {
      return refuse(srt_code::BAD_REQUEST, door_cause::BAD_STREAM_ID);
    }
    out_.play = out_.id.play;
    if (out_.play) {
      play();
    } else {
      publish();
    }
  }

 private:
  void refuse(uint16_t code, int32_t cause) {
    out_.code = code;
    out_.cause = cause;
  }

  void refuse(uint32_t row) {
    refuse(entries_->at(row).code, static_cast<int32_t>(row + 1));
  }

  void refuse(StreamIdError error) {
    out_.stream_id_error = error;
    refuse(srt_code::BAD_REQUEST, door_cause::BAD_STREAM_ID);
  }

  bool stands(const DoorEntry& entry) const {
    if (!(now_ < entry.until)) return false;
    return !exempt_ || entry.even_exempt || holds_for_exempt(entry.kind);
  }

  /// The first entry about the subject that holds for this caller, or kNobody, which is above all rows.
  uint32_t standing(EntryKind kind, std::string_view subject) const {
    if (entries_ == nullptr) return kNobody;
    uint32_t row = entries_->first(kind, subject);
    while (row != kNobody && !stands(entries_->at(row))) row = entries_->next(row);
    return row;
  }

  void name_path(const std::string& stream) {
    out_.path.reserve(out_.id.app.size() + stream.size() + 2);
    out_.path = '/';
    out_.path += out_.id.app;
    out_.path += '/';
    out_.path += stream;
  }

  void play() {
    // Players name the public path; whatever it is, it is not looked up among the secrets.
    if (!is_public_name(out_.id.name)) return refuse(StreamIdError::bad_name);
    name_path(out_.id.name);
    if (entries_ == nullptr || entries_->first(EntryKind::path, out_.path) == kNobody) {
      // The name of what is not there may be a secret: in the standard form, who forgets m=publish plays.
      if (rules_.keys_mode()) out_.path.clear();
      return refuse(srt_code::NOT_FOUND, door_cause::NO_SUCH_STREAM);
    }
    const uint32_t full = standing(EntryKind::players, {});
    if (full != kNobody) return refuse(full);
    static const std::string none;
    out_.passphrase = rules_.passphrase_of({out_.id.app, out_.id.name, address_, none, none, none});
  }

  void publish() {
    if (rules_.keys_mode()) {
      publish_by_key();
    } else {
      publish_by_address();
    }
  }

  void publish_by_address() {
    if (!is_public_name(out_.id.name)) return refuse(StreamIdError::bad_name);
    name_path(out_.id.name);
    out_.client = format_limit_key(limited_, rules_.ipv6_prefix());
    static const std::string none;
    admit(out_.client + " " + out_.path, subject_of(limited_),
          {out_.id.app, out_.id.name, address_, out_.client, none, none});
  }

  void publish_by_key() {
    const StreamId& id = out_.id;
    const DoorKey* const as_name = rules_.find_key(id.name);
    const DoorKey* const key = id.key.empty() ? as_name : rules_.find_key(id.key);
    // A secret given as name too must not become a public path.
    if (key == nullptr || (as_name != nullptr && as_name != key)) {
      return refuse(srt_code::UNAUTHORIZED, door_cause::UNKNOWN_KEY);
    }
    const bool own_name = as_name == nullptr;
    if (own_name) {
      if (!is_public_name(id.name)) return refuse(StreamIdError::bad_name);
      const std::string* const owner = rules_.owner_of(id.name);
      if (owner != nullptr && *owner != key->client) {
        return refuse(srt_code::UNAUTHORIZED, door_cause::UNKNOWN_KEY);
      }
    }
    const std::string& stream = own_name ? id.name : key->name;
    name_path(stream);
    out_.client = key->client;
    admit(key->key_id, key->client, {id.app, stream, address_, key->client, key->tier, key->passphrase});
  }

  /// Everything of Admission.publish that entries can say.
  void admit(const std::string& key_id, std::string_view client, const DoorRules::Guest& guest) {
    uint32_t row = standing(EntryKind::key, key_id);
    if (!owns_path(key_id)) {
      row = std::min({row, standing(EntryKind::client, client), standing(EntryKind::path, out_.path),
                      standing(EntryKind::publishers, {})});
    }
    if (row != kNobody) return refuse(row);
    out_.passphrase = rules_.passphrase_of(guest);
  }

  bool owns_path(const std::string& key_id) const {
    if (entries_ == nullptr) return false;
    const uint32_t row = entries_->first(EntryKind::path, out_.path);
    if (row == kNobody) return false;
    const std::string& owner = entries_->at(row).owner_key;
    return !owner.empty() && owner == key_id;
  }

  const DoorRules& rules_;
  const DoorEntries* const entries_;
  const double now_;
  DoorVerdict& out_;
  AddressKey address_{};
  AddressKey limited_{};
  bool exempt_ = false;
};

}  // namespace

// A table goes with the thread that brought the next one, outside the lock: freeing ten thousand keys
// takes longer than a receive thread may wait.
void SrtDoor::install(std::shared_ptr<const DoorRules> rules) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_.swap(rules);
}

void SrtDoor::install(std::shared_ptr<const DoorEntries> entries) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.swap(entries);
}

void SrtDoor::judge(const sockaddr* peer, const char* stream_id, size_t length, double now,
                    DoorVerdict& out) {
  out.code = srt_code::IN;
  out.cause = door_cause::NONE;
  out.version = 0;
  out.play = false;
  out.stream_id_error = StreamIdError::none;
  out.id.app.clear();
  out.id.name.clear();
  out.id.key.clear();
  out.id.user.clear();
  out.id.play = false;
  out.id.mode_given = false;
  out.path.clear();
  out.client.clear();
  out.passphrase.clear();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (rules_ == nullptr) {
    out.code = srt_code::DOWN;
    out.cause = door_cause::NOT_READY;
    return;
  }
  if (entries_ != nullptr) out.version = entries_->version();
  Judgement(*rules_, entries_.get(), now, out).run(peer, stream_id, length);
}

}  // namespace headgate
