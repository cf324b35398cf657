#include "ts_outlet.h"

#include <cstring>

#include "ts_pes.h"

namespace headgate {
namespace {

// A PCR is due every 100 ms (ISO/IEC 13818-1, 2.7.2). Encoders send one every 20 to 40 ms: one that
// is dropped this long after the last leaves time for the next. ms.
constexpr int64_t kClockGapMs = 60;

constexpr size_t kHeadBytes = 4;
constexpr size_t kPcrBytes = 6;

constexpr uint8_t kDiscontinuity = 0x80;
constexpr uint8_t kPcrFlag = 0x10;

}  // namespace

void TsOutlet::follow(const TsProgram& program) {
  lanes_.follow(program);
  pcr_pid_ = program.pcr_pid;
  shifted_ = false;
  for (const Lane& lane : lanes_) shifted_ |= lane.shift != 0;
}

TsPassed TsOutlet::write(const TsPiece* pieces, size_t count) {
  clock_bytes_ = 0;
  if (count == 0) return {};
  if (!is_in_place(pieces, count)) return copy(pieces, count);
  TsPassed passed{pieces[0].bytes, count * kTsPacketBytes};
  for (size_t i = 0; i < count && !passed.random_access; i++) {
    passed.random_access = pieces[i].reading.start;
    passed.random_access_at = i * kTsPacketBytes;
  }
  return passed;
}

bool TsOutlet::is_in_place(const TsPiece* pieces, size_t count) const {
  if (shifted_) return false;
  for (size_t i = 0; i < count; i++) {
    if (!pieces[i].passes || pieces[i].bytes != pieces[0].bytes + i * kTsPacketBytes) return false;
  }
  return true;
}

TsPassed TsOutlet::copy(const TsPiece* pieces, size_t count) {
  TsPassed passed{out_.data(), 0};
  for (size_t i = 0; i < count; i++) {
    const TsPiece& piece = pieces[i];
    const TsPacket packet(piece.bytes);
    const bool video = piece.reading.kind == TsPacketKind::kVideo;
    Lane* lane = video ? lanes_.find(packet.pid()) : nullptr;
    uint8_t* const out = out_.data() + passed.length;
    if (piece.passes) {
      if (piece.reading.start && !passed.random_access) {
        passed.random_access = true;
        passed.random_access_at = passed.length;
      }
      write_passed(packet, lane, out);
      passed.length += kTsPacketBytes;
    } else if (lane != nullptr) {
      // A packet without payload has the counter of the payload before it; so has one sent twice.
      const bool moves = packet.has_payload() && !piece.reading.duplicate;
      const uint8_t before = static_cast<uint8_t>(packet.continuity() - lane->shift - moves);
      lane->shift = static_cast<uint8_t>((lane->shift + moves) & 0x0f);
      if (write_clock(packet, before, out)) {
        passed.length += kTsPacketBytes;
        clock_bytes_ += piece.counted;
      }
    }
  }
  shifted_ = false;
  for (const Lane& lane : lanes_) shifted_ |= lane.shift != 0;
  return passed;
}

void TsOutlet::write_passed(const TsPacket& packet, const Lane* lane, uint8_t* out) {
  std::memcpy(out, packet.bytes(), kTsPacketBytes);
  if (lane != nullptr) {
    out[3] = static_cast<uint8_t>((out[3] & 0xf0) | ((packet.continuity() - lane->shift) & 0x0f));
  }
  if (packet.pid() == pcr_pid_ && packet.has_pcr()) {
    clock_seen_ = true;
    clock_ = packet.pcr_base();
  }
}

// An adaptation field alone: the PCR of a packet that is dropped, if it is missed.
bool TsOutlet::write_clock(const TsPacket& packet, uint8_t continuity, uint8_t* out) {
  if (packet.pid() != pcr_pid_ || !packet.has_pcr()) return false;
  const int64_t gap = TsClock::step(clock_, packet.pcr_base());
  const bool early = gap >= 0 && gap < kClockGapMs * kTsClockPerMs;
  if (clock_seen_ && early && !packet.discontinuity()) return false;
  clock_seen_ = true;
  clock_ = packet.pcr_base();
  const uint8_t* in = packet.bytes();
  out[0] = kTsSync;
  out[1] = in[1] & 0x1f;
  out[2] = in[2];
  out[3] = static_cast<uint8_t>(0x20 | (continuity & 0x0f));
  out[4] = static_cast<uint8_t>(kTsPacketBytes - kHeadBytes - 1);
  out[5] = static_cast<uint8_t>((in[5] & kDiscontinuity) | kPcrFlag);
  std::memcpy(out + 6, in + 6, kPcrBytes);
  std::memset(out + 6 + kPcrBytes, 0xff, kTsPacketBytes - 6 - kPcrBytes);
  return true;
}

}  // namespace headgate
