// What a datagram is taken apart into on its way from the splitter to the outlet.
#ifndef HEADGATE_TS_PIECE_H_
#define HEADGATE_TS_PIECE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "ts_meter.h"
#include "ts_packet.h"

namespace headgate {

/// The longest datagram; SRT carries 1,456 bytes at most. Of a longer one the rest is skipped.
inline constexpr size_t kTsDatagramBytesMax = 2048;

/// Packets that can become whole by one datagram.
inline constexpr size_t kTsPiecesMax =
    (kTsDatagramBytesMax + kTsPacketBytes - 1) / kTsPacketBytes;

/// One packet of a datagram.
struct TsPiece {
  const uint8_t* bytes;
  uint32_t counted;  ///< its bytes that came with this datagram; a packet may begin in the last one
  TsReading reading;
  uint8_t segment;   ///< what it is decided with, in the filter
  bool passes;
};

/// What of a datagram goes on to consumers: whole packets, in order. Valid until the next datagram.
struct TsPassed {
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  /// A unit begins here that a player can start with (of audio, if the program has no video).
  bool random_access = false;
  size_t random_access_at = 0;  ///< offset of that unit's first packet
};

/// Something kept for every stream of a program, by place as in the PMT.
template <typename Lane>
class TsLanes {
 public:
  /// Streams that go on keep their lane.
  void follow(const TsProgram& program) {
    std::array<Lane, kTsStreamsMax> next;
    for (size_t i = 0; i < program.stream_count; i++) {
      const Lane* known = find(program.streams[i].pid);
      if (known != nullptr) next[i] = *known;
      next[i].pid = program.streams[i].pid;
    }
    lanes_ = next;
    count_ = program.stream_count;
  }

  Lane& operator[](size_t stream) { return lanes_[stream]; }
  Lane* find(uint16_t pid) {
    for (Lane& lane : *this) {
      if (lane.pid == pid) return &lane;
    }
    return nullptr;
  }
  Lane* begin() { return lanes_.data(); }
  Lane* end() { return lanes_.data() + count_; }

 private:
  std::array<Lane, kTsStreamsMax> lanes_{};
  size_t count_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_TS_PIECE_H_
