// TsOutlet: writes what passed so that a demuxer notices no gap. Continuity counters of a video PID
// are closed over what was dropped, and the program clock goes on: a PCR in a dropped packet goes
// out in a packet of its own. What passed whole is not copied.
#ifndef HEADGATE_TS_OUTLET_H_
#define HEADGATE_TS_OUTLET_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "ts_piece.h"

namespace headgate {

class TsOutlet {
 public:
  /// The program changed.
  void follow(const TsProgram& program);

  /// What goes on of the packets of one datagram.
  TsPassed write(const TsPiece* pieces, size_t count);

  /// Of the last write(): bytes of dropped packets that went out after all, as bearers of a PCR.
  uint32_t clock_bytes() const { return clock_bytes_; }

 private:
  struct Lane {
    uint16_t pid = ts_pid::STUFFING;
    uint8_t shift = 0;  // payloads dropped, modulo 16: what the counter is set back by
  };

  bool is_in_place(const TsPiece* pieces, size_t count) const;
  TsPassed copy(const TsPiece* pieces, size_t count);
  void write_passed(const TsPacket& packet, const Lane* lane, uint8_t* out);
  bool write_clock(const TsPacket& packet, uint8_t continuity, uint8_t* out);

  TsLanes<Lane> lanes_;
  uint16_t pcr_pid_ = ts_pid::STUFFING;
  bool shifted_ = false;  // some counter is set back
  bool clock_seen_ = false;
  uint64_t clock_ = 0;  // PCR that went out last, 90 kHz
  uint32_t clock_bytes_ = 0;
  std::array<uint8_t, kTsPiecesMax * kTsPacketBytes> out_;
};

}  // namespace headgate

#endif  // HEADGATE_TS_OUTLET_H_
