// MessageClock: from the stamps of a transport stream, 90 kHz on a clock that began anywhere, to
// the timestamps of RTMP messages, ms from 0 on.
//
// One track leads: the video, or the audio where there is no video. Its first unit is at 0, and
// where its stamps jump, because the encoder began again, messages go on as if nothing had happened.
// The other track is placed by the same clock; what of it lies before the start, or is still (or
// already) on the other side of a jump, has no time.
//
// Stamps are rounded to ms before they are subtracted, as ffmpeg does, so that the rounding does not
// depend on where the clock began.
#ifndef HEADGATE_MESSAGE_CLOCK_H_
#define HEADGATE_MESSAGE_CLOCK_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "ts_pes.h"

namespace headgate {

class MessageClock {
 public:
  /// Forgets all: the next leading unit is at 0.
  void restart() { *this = MessageClock(); }

  /// A leading unit has been placed.
  bool started() const { return started_; }

  /// 90 kHz ticks of a stamp of 33 bits, unwrapped.
  int64_t unwrap(uint64_t stamp) { return clock_.unwrap(stamp); }

  /// The time of a unit of the leading track.
  uint32_t lead(int64_t ticks) {
    const int64_t ms = rounded_ms(ticks);
    if (!started_ || jumps(ms)) {
      base_ms_ = ms - (started_ ? latest_ + 1 : 0);
      first_ = started_ ? latest_ + 1 : 0;
      started_ = true;
    }
    return place(ms, std::max(ms - base_ms_, first_));
  }

  /// The time of a unit of the other track; false when it has none.
  bool follow(int64_t ticks, uint32_t& timestamp) {
    const int64_t ms = rounded_ms(ticks);
    if (!started_ || jumps(ms) || ms - base_ms_ < first_) return false;
    timestamp = place(ms, ms - base_ms_);
    return true;
  }

  /// Milliseconds from decoding to presentation, both rounded; 0 where the stamps are too far apart
  /// to mean it.
  static int32_t composition_ms(int64_t dts_ticks, int64_t pts_ticks) {
    const int64_t ms = rounded_ms(pts_ticks) - rounded_ms(dts_ticks);
    return std::abs(ms) <= kJumpMs ? static_cast<int32_t>(ms) : 0;
  }

 private:
  // Neither tracks nor frames of one lie further apart; players give up a gap like this.
  static constexpr int64_t kJumpMs = 10'000;

  // The nearest ms, the later one of two.
  static int64_t rounded_ms(int64_t ticks) {
    const int64_t shifted = ticks + kTsClockPerMs / 2;
    const int64_t ms = shifted / kTsClockPerMs;
    return shifted % kTsClockPerMs < 0 ? ms - 1 : ms;
  }

  bool jumps(int64_t ms) const { return std::abs(ms - near_ms_) > kJumpMs; }

  uint32_t place(int64_t ms, int64_t timestamp) {
    near_ms_ = ms;
    latest_ = std::max(latest_, timestamp);
    return static_cast<uint32_t>(timestamp);
  }

  TsClock clock_;
  bool started_ = false;
  int64_t base_ms_ = 0;  // what is subtracted
  int64_t first_ = 0;    // the first timestamp since the last jump
  int64_t latest_ = 0;   // the highest timestamp so far
  int64_t near_ms_ = 0;  // of the last unit placed, before subtraction
};

}  // namespace headgate

#endif  // HEADGATE_MESSAGE_CLOCK_H_
