// Callers between the door and srt_accept: judged in libsrt's receive thread, which must not wait, and
// claimed or given up by the listener's.
//
// libsrt says nothing when a handshake fails after it was let in, as it does for a wrong passphrase: its
// socket just dies without ever having been connected.
#ifndef HEADGATE_SRT_HANDSHAKES_H_
#define HEADGATE_SRT_HANDSHAKES_H_

#include <srt.h>

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "srt_door.h"
#include "srt_event_queue.h"
#include "srt_guesses.h"

namespace headgate {

struct SrtCaller {
  std::string ip;
  uint16_t port = 0;
  AddressKey address{};
  DoorVerdict verdict{};
  double since = 0;        ///< monotonic ms
  bool connected = false;  ///< the handshake was seen to be done
};

/// Handshakes let in that JavaScript has not heard of yet: more would pass before it could count them.
constexpr uint32_t kUnconfirmedMax = 128;

class SrtHandshakes {
 public:
  SrtHandshakes(SrtDoor& door, SrtEventQueue& events, uint32_t connections_max)
      : door_(door), events_(events), connections_max_(connections_max) {}

  /// libsrt's thread: 0 lets the caller in, -1 refuses, the reason being set on the socket.
  int judge(SRTSOCKET socket, int handshake_version, const sockaddr* peer, const char* stream_id, double now);

  /// The caller of an accepted socket; false for one that was never let in.
  bool claim(SRTSOCKET socket, SrtCaller& out);

  /// Gives up those whose handshake failed, and tells of them.
  void sweep(double now);

  /// JavaScript has heard of so many.
  void confirm(uint32_t count) { unconfirmed_ -= count; }

  /// A connection that was claimed is gone.
  void leave() { population_--; }

  /// Nobody is between door and srt_accept.
  bool is_empty() const { return waiting_ == 0; }

 private:
  bool is_guessing(const SrtCaller& caller, double now);
  void refuse(const SrtCaller& caller, uint16_t code, int32_t cause);

  SrtDoor& door_;
  SrtEventQueue& events_;
  const uint32_t connections_max_;
  std::atomic<uint32_t> population_{0};
  std::atomic<uint32_t> unconfirmed_{0};
  std::atomic<uint32_t> waiting_{0};
  SrtCaller scratch_;  // of libsrt's thread: keeps its memory from one caller to the next
  std::mutex mutex_;
  std::unordered_map<SRTSOCKET, SrtCaller> callers_;
  SrtGuesses guesses_;
  std::vector<SRTSOCKET> sweeping_;  // of the listener's thread
};

}  // namespace headgate

#endif  // HEADGATE_SRT_HANDSHAKES_H_
