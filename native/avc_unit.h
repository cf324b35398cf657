// AvcUnit: an H.264 access unit on its way from a byte stream with start codes (ITU-T H.264, annex
// B) to what FLV and RTMP carry: lengths before the NAL units, and parameter sets in a header of
// their own (ISO/IEC 14496-15; Adobe Video File Format 10.1, annex E.4.3).
//
// It is converted while it arrives, in the memory it stays in: every byte is copied once.
#ifndef HEADGATE_AVC_UNIT_H_
#define HEADGATE_AVC_UNIT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "block.h"

namespace headgate {

/// A 50 Mbit/s intra frame of 4K video is under 4 MiB; a unit beyond is not passed on.
inline constexpr uint32_t kAvcUnitBytesMax = 4 * 1024 * 1024;

/// Bytes of sequence, or of picture parameter sets, that a header holds. Real ones take under 300.
inline constexpr uint32_t kAvcSetBytesMax = 2048;

/// Parameter sets of one kind, each once, as a decoder configuration record lists them: 16 bits of
/// length, then the NAL unit.
class AvcSets {
 public:
  /// False when there is no room, or more sets than can be counted.
  bool add(const uint8_t* nal, uint32_t length, uint32_t count_max);
  void clear() { size_ = count_ = 0; }
  bool same(const AvcSets& other) const;

  uint32_t count() const { return count_; }
  uint32_t size() const { return size_; }
  const uint8_t* bytes() const { return bytes_.data(); }

 private:
  std::array<uint8_t, kAvcSetBytesMax> bytes_;
  uint32_t size_ = 0;
  uint32_t count_ = 0;
};

/// What a decoder is set up with.
struct AvcConfig {
  AvcSets sequence;
  AvcSets picture;

  bool whole() const { return sequence.count() > 0 && picture.count() > 0; }
  bool same(const AvcConfig& other) const {
    return sequence.same(other.sequence) && picture.same(other.picture);
  }
};

/// The longest sequence header: both kinds of sets, and what is around them.
inline constexpr uint32_t kAvcHeaderBytesMax = 2 * kAvcSetBytesMax + 16;

/// Writes the body of a video sequence header message; returns its length. Only with a whole config.
uint32_t write_avc_header(const AvcConfig& config, std::array<uint8_t, kAvcHeaderBytesMax>& out);

class AvcUnit {
 public:
  /// Begins a new unit, in the same memory.
  void begin();

  /// Takes the unit's next bytes. Once it is longer than kAvcUnitBytesMax, or memory is out, the
  /// unit is `failed` and takes no more.
  void take(const uint8_t* bytes, size_t length);

  /// The unit is whole: its last NAL unit is closed. Nothing but `begin` may follow.
  void end();

  /// After `end`, the body of the video message. Composition time is in ms.
  const uint8_t* body(bool keyframe, int32_t composition_ms);
  uint32_t size() const { return block_.size(); }

  bool failed() const { return failed_; }
  /// A part of a picture is in it.
  bool has_slice() const { return has_slice_; }
  /// An instantaneous decoding refresh: nothing before it is needed.
  bool is_idr() const { return is_idr_; }
  /// No other picture refers to it.
  bool is_disposable() const { return has_slice_ && !is_reference_; }
  /// The parameter sets found in it; whole or not.
  const AvcConfig& config() const { return config_; }

  /// Memory held, bytes.
  size_t held() const { return block_.capacity(); }

 private:
  bool append(const uint8_t* bytes, size_t length);
  void open_nal();
  void close_nal();
  uint32_t nal_from() const;
  bool leaves_body(const uint8_t* nal, uint32_t length);

  Block block_;
  AvcConfig config_;
  uint32_t nal_at_ = 0;    // where the length of the NAL unit being taken stands
  bool nal_open_ = false;  // what comes before the first start code is no NAL unit
  bool failed_ = false;
  bool has_slice_ = false;
  bool is_idr_ = false;
  bool is_reference_ = false;
};

}  // namespace headgate

#endif  // HEADGATE_AVC_UNIT_H_
