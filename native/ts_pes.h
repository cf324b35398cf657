// The head of a PES packet (ISO/IEC 13818-1, 2.4.3.6): where an access unit begins, and when it is
// to be decoded and shown.
#ifndef HEADGATE_TS_PES_H_
#define HEADGATE_TS_PES_H_

#include <cstddef>
#include <cstdint>

#include "big_endian.h"
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

/// Five bytes with 33 bits of time among marker bits.
inline uint64_t read_pes_stamp(const uint8_t* p) {
  return static_cast<uint64_t>(p[0] & 0x0e) << 29 | static_cast<uint64_t>(p[1]) << 22 |
         static_cast<uint64_t>(p[2] & 0xfe) << 14 | static_cast<uint64_t>(p[3]) << 7 | p[4] >> 1;
}

/// Reads the head of a PES packet from the payload of the packet it begins in. False when none
/// begins there. A head that is cut off has no body, and no time stamp that is not whole.
inline bool read_pes_header(TsSpan payload, PesHeader& header) {
  constexpr size_t kFixedBytes = 9;
  constexpr size_t kStampBytes = 5;
  header = {};
  const uint8_t* p = payload.bytes;
  if (payload.length < 4 || read_u24(p) != 1 || p[3] < 0xbc) return false;
  if (payload.length < kFixedBytes) return true;
  header.bytes = read_u16(p + 4);
  const size_t head = kFixedBytes + p[8];
  const size_t whole = head < payload.length ? head : payload.length;
  if ((p[7] & 0x80) != 0 && whole >= kFixedBytes + kStampBytes) {
    header.has_pts = true;
    header.pts = header.dts = read_pes_stamp(p + kFixedBytes);
    if ((p[7] & 0x40) != 0 && whole >= kFixedBytes + 2 * kStampBytes) {
      header.dts = read_pes_stamp(p + kFixedBytes + kStampBytes);
    }
  }
  header.body = {p + whole, payload.length - whole};
  return true;
}

/// A clock of 33 bits unwrapped: the shorter way round is the way it went.
class TsClock {
 public:
  /// 90 kHz ticks, from the first stamp on; below zero only after a clock that began by going back.
  int64_t unwrap(uint64_t stamp) {
    ticks_ = started_ ? ticks_ + step(last_, stamp) : static_cast<int64_t>(stamp);
    started_ = true;
    last_ = stamp;
    return ticks_;
  }

  /// How far it is from one stamp to another, the shorter way round.
  static int64_t step(uint64_t from, uint64_t to) {
    constexpr int kUnusedBits = 64 - 33;
    return static_cast<int64_t>((to - from) << kUnusedBits) >> kUnusedBits;
  }

 private:
  bool started_ = false;
  uint64_t last_ = 0;
  int64_t ticks_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_TS_PES_H_
