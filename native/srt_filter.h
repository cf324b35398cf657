// A classic BPF program before libsrt: what the kernel drops never reaches its parser.
//
// The filter knows what a listener and the connections accepted on its port need, publishers (we
// receive) and players (we send) alike; everything else a peer could send is refused by type, and the
// packets that are known to kill libsrt 1.5 or to hold it up by what they say.
#ifndef HEADGATE_SRT_FILTER_H_
#define HEADGATE_SRT_FILTER_H_

#include <cstddef>
#include <cstdint>

namespace headgate {

/// One instruction, laid out as `struct sock_filter` (linux/filter.h), which other systems do not have.
struct FilterStep {
  uint16_t code;
  uint8_t jump_true;
  uint8_t jump_false;
  uint32_t constant;
};

/// The program as a UDP socket runs it: offset 0 is the UDP header. Sets the number of steps.
const FilterStep* srt_filter_program(size_t& length);

/// Puts the filter on a UDP socket, before libsrt is given it. False where the system has no such thing
/// or refuses it.
bool attach_srt_filter(int fd);

}  // namespace headgate

#endif  // HEADGATE_SRT_FILTER_H_
