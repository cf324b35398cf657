// A classic BPF program before libsrt: what the kernel drops never reaches its parser.
//
// The filter knows what a listener and the connections accepted on its port need, publishers (we
// receive) and players (we send) alike; everything else a peer could send is refused by type, and the
// packets that are known to kill libsrt 1.5 or to hold it up by what they say.
#ifndef HEADGATE_SRT_FILTER_H_
#define HEADGATE_SRT_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace headgate {

/// One instruction, laid out as `struct sock_filter` (linux/filter.h), which other systems do not have.
struct FilterStep {
  uint16_t code;
  uint8_t jump_true;
  uint8_t jump_false;
  uint32_t constant;
};

/// A connection to which acknowledgements may come: numbers from `first` (31 bits) to kFilterAckSpan behind it.
struct FilterPlayer {
  uint32_t socket;  ///< libsrt's number of our socket, which the peer's packets are addressed to
  uint32_t first;
};

/// Wide enough for what a player is sent between two looks at it, and for what it has not acknowledged yet.
constexpr uint32_t kFilterAckSpan = 131'072;

/// A program has 4,096 steps at most. With more players than this every acknowledgement passes.
constexpr size_t kFilterPlayersMax = 500;

/// The program as a UDP socket runs it: offset 0 is the UDP header.
std::vector<FilterStep> srt_filter_program(const std::vector<FilterPlayer>& players);

/// Puts the filter on a UDP socket, in place of the one before it: for the first time before libsrt is given the
/// socket, and again whenever the players change. False where the system has no such thing or refuses it.
bool attach_srt_filter(int fd, const std::vector<FilterPlayer>& players);

}  // namespace headgate

#endif  // HEADGATE_SRT_FILTER_H_
