#include "ts_video_unit.h"

#include <algorithm>

#include "big_endian.h"
#include "slab_layout.h"

namespace headgate {
namespace {

/// What lies between two start codes (00 00 01), or behind the last.
class StartCodes {
 public:
  explicit StartCodes(TsSpan body) : at_(body.bytes), end_(body.bytes + body.length) {
    at_ = after_code(at_);
  }

  // False when there is none left. `unit` has at least one byte.
  bool next(TsSpan& unit) {
    while (at_ != nullptr) {
      const uint8_t* const following = after_code(at_);
      const uint8_t* const stop = following == nullptr ? end_ : following - kCodeBytes;
      unit = {at_, static_cast<size_t>(stop - at_)};
      at_ = following;
      if (unit.length > 0) return true;
    }
    return false;
  }

 private:
  static constexpr size_t kCodeBytes = 3;

  // Behind the next start code from `p` on; null when there is none. A byte above 1 rules out the
  // two places before it.
  const uint8_t* after_code(const uint8_t* p) const {
    while (static_cast<size_t>(end_ - p) >= kCodeBytes) {
      if (p[2] > 1) {
        p += kCodeBytes;
      } else if (p[0] == 0 && p[1] == 0 && p[2] == 1) {
        return p + kCodeBytes;
      } else {
        p++;
      }
    }
    return nullptr;
  }

  const uint8_t* at_;
  const uint8_t* const end_;
};

// Exp-Golomb codes (H.264 9.1) of the first bytes of a slice; past the end it reads zeros.
class SliceBits {
 public:
  explicit SliceBits(TsSpan span) : span_(span) {}

  uint32_t ue() {
    uint32_t zeros = 0;
    while (zeros < kZerosMax && bit() == 0) zeros++;
    uint32_t value = 1;
    for (uint32_t i = 0; i < zeros; i++) value = value << 1 | bit();
    return value - 1;
  }

 private:
  static constexpr uint32_t kZerosMax = 31;

  uint32_t bit() {
    const size_t byte = at_ / 8;
    const uint32_t found = byte < span_.length ? span_.bytes[byte] >> (7 - at_ % 8) & 1 : 0;
    at_++;
    return found;
  }

  const TsSpan span_;
  size_t at_ = 0;
};

// H.264 table 7-6: 2 and 7 say that the slice (all slices) are I.
bool is_intra_slice(TsSpan nal) {
  SliceBits bits({nal.bytes + 1, nal.length - 1});
  bits.ue();  // first_mb_in_slice
  const uint32_t slice_type = bits.ue();
  return slice_type == 2 || slice_type == 7;
}

// H.264 7.4.1. An I picture that parameter sets or a recovery point announce is where an encoder
// without IDR pictures means decoding to start. Without a slice in sight the sets alone tell.
VideoUnit read_avc(TsSpan body) {
  constexpr uint8_t kSlice = 1, kPartition = 2, kIdr = 5, kSei = 6, kSps = 7;
  constexpr uint8_t kRecoveryPoint = 6;
  VideoUnit unit;
  bool announced = false;
  StartCodes codes(body);
  for (TsSpan nal; codes.next(nal);) {
    const uint8_t type = nal.bytes[0] & 0x1f;
    if (type == kSps) announced = true;
    if (type == kSei && nal.length > 1 && nal.bytes[1] == kRecoveryPoint) announced = true;
    if (type < kSlice || type > kIdr) continue;
    unit.random_access = type == kIdr || (announced && type <= kPartition && is_intra_slice(nal));
    unit.disposable = !unit.random_access && (nal.bytes[0] & 0x60) == 0;
    return unit;
  }
  unit.random_access = announced;
  return unit;
}

// H.265 7.4.2.2. Types 0, 2, ... 14 are sub-layer non-reference pictures, which higher temporal
// layers may still refer to: only those of the highest layer seen are disposable.
VideoUnit read_hevc(uint8_t& layer_max, TsSpan body) {
  constexpr uint8_t kLeadingMax = 15, kIrapMax = 23, kVps = 32, kSps = 33;
  VideoUnit unit;
  bool announced = false;
  StartCodes codes(body);
  for (TsSpan nal; codes.next(nal);) {
    const uint8_t type = nal.bytes[0] >> 1 & 0x3f;
    if (type == kVps || type == kSps) announced = true;
    if (type > kIrapMax || nal.length < 2) continue;
    unit.random_access = type > kLeadingMax;
    const uint8_t id = nal.bytes[1] & 7;
    const uint8_t layer = static_cast<uint8_t>(id == 0 ? 0 : id - 1);
    layer_max = std::max(layer_max, layer);
    unit.disposable = type < kLeadingMax && type % 2 == 0 && layer == layer_max;
    return unit;
  }
  unit.random_access = announced;
  return unit;
}

// H.262 6.2: a sequence header, or an I picture; nothing refers to a B picture.
VideoUnit read_mpeg2(TsSpan body) {
  constexpr uint8_t kPicture = 0x00, kSequence = 0xb3;
  VideoUnit unit;
  StartCodes codes(body);
  for (TsSpan part; codes.next(part);) {
    if (part.bytes[0] == kSequence) unit.random_access = true;
    if (part.bytes[0] != kPicture || part.length < 3) continue;
    const uint8_t coding_type = part.bytes[2] >> 3 & 7;
    unit.random_access |= coding_type == 1;
    unit.disposable = !unit.random_access && coding_type == 3;
    break;
  }
  return unit;
}

// AV1 5.3 and 5.9.2. A key frame is shown anew or announced by a sequence header.
bool starts_av1(uint8_t type, TsSpan content) {
  constexpr uint8_t kSequence = 1, kFrameHeader = 3, kFrame = 6;
  if (type == kSequence) return true;
  if (type != kFrameHeader && type != kFrame) return false;
  // show_existing_frame 0, frame_type KEY_FRAME
  return content.length > 0 && (content.bytes[0] & 0xe0) == 0;
}

constexpr uint8_t obu_type(uint8_t head) { return head >> 3 & 15; }
constexpr size_t obu_head_bytes(uint8_t head) { return (head & 4) != 0 ? 2 : 1; }

// AV1 in MPEG-2 TS (AOM): a start code before every OBU.
bool is_av1_start_coded(TsSpan body) {
  StartCodes codes(body);
  for (TsSpan obu; codes.next(obu);) {
    const uint8_t head = obu.bytes[0];
    size_t at = obu_head_bytes(head);
    if ((head & 2) != 0) {
      while (at < obu.length && (obu.bytes[at] & 0x80) != 0) at++;
      at++;
    }
    const TsSpan content = at < obu.length ? TsSpan{obu.bytes + at, obu.length - at} : TsSpan{};
    if (starts_av1(obu_type(head), content)) return true;
  }
  return false;
}

// The low-overhead format (AV1 5.2), as some muxers write it: every OBU has its size.
bool is_av1_sized(TsSpan body) {
  size_t at = 0;
  while (at < body.length) {
    const uint8_t head = body.bytes[at];
    if ((head & 0x82) != 2) return false;  // forbidden bit, or no size
    at += obu_head_bytes(head);
    uint64_t size = 0;
    for (uint32_t shift = 0; at < body.length && shift < 56; shift += 7) {
      const uint8_t part = body.bytes[at++];
      size |= static_cast<uint64_t>(part & 0x7f) << shift;
      if ((part & 0x80) == 0) break;
    }
    if (at >= body.length && size > 0) return obu_type(head) == 1;
    const size_t there = std::min<uint64_t>(size, body.length - at);
    if (starts_av1(obu_type(head), {body.bytes + at, there})) return true;
    if (size >= body.length - at) return false;
    at += there;
  }
  return false;
}

bool mpeg2_dimensions(TsSpan body, Dimensions& out) {
  constexpr uint8_t kSequence = 0xb3;
  StartCodes codes(body);
  for (TsSpan part; codes.next(part);) {
    if (part.bytes[0] != kSequence || part.length < 4) continue;
    const uint32_t width = static_cast<uint32_t>(part.bytes[1]) << 4 | part.bytes[2] >> 4;
    const uint32_t height = static_cast<uint32_t>(part.bytes[2] & 15) << 8 | part.bytes[3];
    if (width == 0 || height == 0) return false;
    out = {width, height};
    return true;
  }
  return false;
}

}  // namespace

VideoUnit read_video_unit(uint8_t codec, uint8_t& hevc_layer_max, TsSpan body) {
  constexpr uint32_t kStartCode = 1;
  switch (codec) {
    case video_codec::H264:
      return read_avc(body);
    case video_codec::HEVC:
      return read_hevc(hevc_layer_max, body);
    case video_codec::MPEG2:
      return read_mpeg2(body);
    case video_codec::AV1: {
      const bool coded = body.length >= 3 && read_u24(body.bytes) == kStartCode;
      return {coded ? is_av1_start_coded(body) : is_av1_sized(body), false};
    }
    default:
      return {};
  }
}

bool video_dimensions(uint8_t codec, TsSpan body, Dimensions& out) {
  if (codec == video_codec::MPEG2) return mpeg2_dimensions(body, out);
  StartCodes codes(body);
  for (TsSpan nal; codes.next(nal);) {
    if (codec == video_codec::H264 && (nal.bytes[0] & 0x1f) == 7) {
      return h264_dimensions(nal.bytes, nal.length, out);
    }
    if (codec == video_codec::HEVC && (nal.bytes[0] >> 1 & 0x3f) == 33) {
      return hevc_dimensions(nal.bytes, nal.length, out);
    }
  }
  return false;
}

}  // namespace headgate
