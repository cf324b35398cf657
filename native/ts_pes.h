// The head of a PES packet (ISO/IEC 13818-1, 2.4.3.6): where an access unit begins, and when it is
// to be decoded and shown.
#ifndef HEADGATE_TS_PES_H_
#define HEADGATE_TS_PES_H_

#include <cstddef>
#include <cstdint>

#include "ts_packet.h"

namespace headgate {

/// Time stamps have 33 bits and run at 90 kHz: they wrap every 26.5 hours.
inline constexpr uint32_t kTsClockPerMs = 90;

struct PesHeader {
  bool has_pts = false;
  uint64_t pts = 0;    ///< 33 bits, 90 kHz
  uint64_t dts = 0;    ///< the PTS where the header gives no DTS of its own
  uint32_t bytes = 0;  ///< PES_packet_length: bytes after that field; 0 = up to the next unit start
  TsSpan body;         ///< what is there of the elementary stream; empty when none is
};

/// Reads the head of a PES packet from the payload of the packet it begins in. False when none
/// begins there. A head that is cut off has neither time stamps nor a body.
bool read_pes_header(TsSpan payload, PesHeader& header);

/// A clock of 33 bits unwrapped: the shorter way round is the way it went.
class TsClock {
 public:
  /// 90 kHz ticks, from the first stamp on; below zero only after a clock that began by going back.
  int64_t unwrap(uint64_t stamp);

 private:
  bool started_ = false;
  uint64_t last_ = 0;
  int64_t ticks_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_TS_PES_H_
