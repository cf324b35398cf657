// SrtGuesses: how often an address has got a passphrase wrong lately.
//
// libsrt derives the key (PBKDF2, 2,048 rounds) in the thread that receives for every stream of the port,
// and only then knows that the passphrase was wrong. So whoever keeps guessing is refused before that: an
// address may be wrong five times at once and then twice a second. A caller without a passphrase where none
// is wanted never gets here.
#ifndef HEADGATE_SRT_GUESSES_H_
#define HEADGATE_SRT_GUESSES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>

#include "srt_address.h"

namespace headgate {

class SrtGuesses {
 public:
  /// Somebody at this address was wrong. `now` monotonic ms.
  void wrong(const AddressKey& address, double now) {
    if (until_.size() >= kAddressesMax && until_.count(address) == 0) make_room(now);
    double& until = until_[address];
    until = (until > now ? until : now) + kIntervalMs;
  }

  /// True while the address has to wait before the next guess.
  bool is_spent(const AddressKey& address, double now) const {
    const auto found = until_.find(address);
    return found != until_.end() && found->second > now + kBurst * kIntervalMs - kIntervalMs;
  }

  size_t remembered() const { return until_.size(); }

 private:
  static constexpr double kIntervalMs = 500;
  static constexpr int kBurst = 5;
  /// Each has finished a handshake's first half, so its address is its own. About 100 bytes each.
  static constexpr size_t kAddressesMax = 4096;

  // Forgets what is over; when nothing is, the one that is over first.
  void make_room(double now) {
    for (auto at = until_.begin(); at != until_.end();) at = at->second <= now ? until_.erase(at) : std::next(at);
    if (until_.size() < kAddressesMax) return;
    until_.erase(std::min_element(until_.begin(), until_.end(),
                                  [](const auto& a, const auto& b) { return a.second < b.second; }));
  }

  std::map<AddressKey, double> until_;  // GCRA: the theoretical arrival time of the next guess
};

}  // namespace headgate

#endif  // HEADGATE_SRT_GUESSES_H_
