#include "sps.h"

namespace headgate {

namespace {

constexpr uint8_t kAvcSps = 7;
constexpr uint8_t kHevcSps = 33;

// What a size field holds in the containers the size is compared with.
constexpr uint64_t kSideMax = 65'535;

// Bounds of H.264 7.4.2.1.1 and H.265 7.4.3.2.1.
constexpr uint32_t kChromaFormatMax = 3;
constexpr uint32_t kBitDepthExtraMax = 6;
constexpr uint32_t kPocCycleMax = 255;
constexpr uint32_t kSubLayersExtraMax = 6;

// Bits of an RBSP: the bytes 00 00 03 stand for 00 00 (H.264 7.4.1). Reading past the end gives
// zeros and clears `whole`.
class RbspReader {
 public:
  RbspReader(const uint8_t* bytes, size_t length) : at_(bytes), end_(bytes + length) {}

  bool whole() const { return whole_; }

  uint32_t bit() {
    if (bits_left_ == 0 && !next_byte()) return 0;
    bits_left_--;
    return byte_ >> bits_left_ & 1;
  }

  // At most 32 bits.
  uint32_t bits(uint32_t count) {
    uint32_t value = 0;
    while (count-- > 0) value = value << 1 | bit();
    return value;
  }

  void skip(uint32_t count) {
    while (count-- > 0) bit();
  }

  // Exp-Golomb (H.264 9.1); no value of more than 31 bits is legal anywhere.
  uint32_t ue() {
    uint32_t zeros = 0;
    while (whole_ && bit() == 0) {
      if (++zeros > 31) whole_ = false;
    }
    return whole_ ? (1u << zeros) - 1 + bits(zeros) : 0;
  }

 private:
  bool next_byte() {
    if (zeros_ >= 2 && at_ < end_ && *at_ == 3) {
      at_++;
      zeros_ = 0;
    }
    if (at_ == end_) {
      whole_ = false;
      return false;
    }
    byte_ = *at_++;
    zeros_ = byte_ == 0 ? zeros_ + 1 : 0;
    bits_left_ = 8;
    return true;
  }

  const uint8_t* at_;
  const uint8_t* const end_;
  uint32_t byte_ = 0;
  uint32_t bits_left_ = 0;
  uint32_t zeros_ = 0;
  bool whole_ = true;
};

struct Chroma {
  uint32_t format = 1;  // chroma_format_idc
  bool separate = false;

  uint32_t crop_x() const { return !separate && (format == 1 || format == 2) ? 2 : 1; }
  uint32_t crop_y() const { return !separate && format == 1 ? 2 : 1; }
};

bool read_chroma(RbspReader& sps, Chroma& chroma) {
  chroma.format = sps.ue();
  if (chroma.format > kChromaFormatMax) return false;
  chroma.separate = chroma.format == 3 && sps.bit() == 1;
  return true;
}

// Takes the cropping window, in the units given, off the size.
bool crop(RbspReader& sps, uint64_t width, uint64_t height, uint32_t unit_x, uint32_t unit_y,
          Dimensions& out) {
  if (sps.bit() == 1) {
    const uint64_t left = sps.ue();
    const uint64_t right = sps.ue();
    const uint64_t top = sps.ue();
    const uint64_t bottom = sps.ue();
    const uint64_t cut_x = (left + right) * unit_x;
    const uint64_t cut_y = (top + bottom) * unit_y;
    if (cut_x >= width || cut_y >= height) return false;
    width -= cut_x;
    height -= cut_y;
  }
  if (!sps.whole() || width == 0 || height == 0 || width > kSideMax || height > kSideMax) return false;
  out = {static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
  return true;
}

// H.264 7.3.2.1.1: profiles whose sets say how samples are coded; the others are 4:2:0 of 8 bits.
bool says_format(uint32_t profile) {
  switch (profile) {
    case 44:
    case 83:
    case 86:
    case 100:
    case 110:
    case 118:
    case 122:
    case 128:
    case 134:
    case 135:
    case 138:
    case 139:
    case 244:
      return true;
    default:
      return false;
  }
}

void skip_scaling_list(RbspReader& sps, uint32_t size) {
  uint32_t last = 8;
  uint32_t next = 8;
  for (uint32_t i = 0; i < size && next != 0 && sps.whole(); i++) {
    // se(v): the odd codes are positive, the even ones negative.
    const uint32_t code = sps.ue();
    const uint32_t delta = (code & 1) != 0 ? (code + 1) / 2 : 0 - code / 2;
    next = (last + delta) & 0xff;
    if (next != 0) last = next;
  }
}

void skip_picture_order(RbspReader& sps) {
  const uint32_t type = sps.ue();
  if (type == 0) sps.ue();
  if (type != 1) return;
  sps.bit();
  sps.ue();
  sps.ue();
  const uint32_t cycle = sps.ue();
  for (uint32_t i = 0; i < cycle && i < kPocCycleMax && sps.whole(); i++) sps.ue();
}

// Reads an H.264 SPS up to its sample format.
bool read_avc_start(RbspReader& sps, Chroma& chroma, AvcFormat& format) {
  sps.skip(8);
  const uint32_t profile = sps.bits(8);
  sps.skip(16);
  sps.ue();
  if (says_format(profile)) {
    if (!read_chroma(sps, chroma)) return false;
    const uint32_t luma = sps.ue();
    const uint32_t depth = sps.ue();
    if (luma > kBitDepthExtraMax || depth > kBitDepthExtraMax) return false;
    format = {static_cast<uint8_t>(chroma.format), static_cast<uint8_t>(8 + luma),
              static_cast<uint8_t>(8 + depth)};
    sps.bit();
    if (sps.bit() == 1) {
      const uint32_t lists = chroma.format == 3 ? 12 : 8;
      for (uint32_t i = 0; i < lists; i++) {
        if (sps.bit() == 1) skip_scaling_list(sps, i < 6 ? 16 : 64);
      }
    }
  }
  return sps.whole();
}

bool is_avc_sps(const uint8_t* nal, size_t length) {
  return length > 0 && (nal[0] & 0x9f) == kAvcSps;
}

// H.265 7.3.3: 88 bits of profile and 8 of level, of the whole and of each sub-layer that has one.
void skip_profiles(RbspReader& sps, uint32_t sub_layers_extra) {
  sps.skip(96);
  bool profile[kSubLayersExtraMax] = {};
  bool level[kSubLayersExtraMax] = {};
  for (uint32_t i = 0; i < sub_layers_extra; i++) {
    profile[i] = sps.bit() == 1;
    level[i] = sps.bit() == 1;
  }
  if (sub_layers_extra > 0) sps.skip(2 * (8 - sub_layers_extra));
  for (uint32_t i = 0; i < sub_layers_extra; i++) {
    if (profile[i]) sps.skip(88);
    if (level[i]) sps.skip(8);
  }
}

}  // namespace

bool h264_dimensions(const uint8_t* nal, size_t length, Dimensions& out) {
  if (!is_avc_sps(nal, length)) return false;
  RbspReader sps(nal, length);
  Chroma chroma;
  AvcFormat format;
  if (!read_avc_start(sps, chroma, format)) return false;
  sps.ue();
  skip_picture_order(sps);
  sps.ue();
  sps.bit();
  const uint64_t columns = uint64_t{sps.ue()} + 1;
  const uint64_t rows = uint64_t{sps.ue()} + 1;
  // A field is one row of macroblocks high where a frame is two.
  const uint32_t fields = sps.bit() == 1 ? 1 : 2;
  if (fields == 2) sps.bit();
  sps.bit();
  return crop(sps, columns * 16, rows * 16 * fields, chroma.crop_x(), chroma.crop_y() * fields, out);
}

bool hevc_dimensions(const uint8_t* nal, size_t length, Dimensions& out) {
  if (length < 2 || (nal[0] >> 1) != kHevcSps) return false;
  // Sets of enhancement layers are written otherwise (annex F).
  if ((nal[0] & 1) != 0 || nal[1] >> 3 != 0) return false;
  RbspReader sps(nal, length);
  sps.skip(20);
  const uint32_t sub_layers_extra = sps.bits(3);
  if (sub_layers_extra > kSubLayersExtraMax) return false;
  sps.bit();
  skip_profiles(sps, sub_layers_extra);
  sps.ue();
  Chroma chroma;
  if (!read_chroma(sps, chroma)) return false;
  const uint64_t width = sps.ue();
  const uint64_t height = sps.ue();
  return crop(sps, width, height, chroma.crop_x(), chroma.crop_y(), out);
}

bool h264_format(const uint8_t* nal, size_t length, AvcFormat& out) {
  if (!is_avc_sps(nal, length)) return false;
  RbspReader sps(nal, length);
  Chroma chroma;
  AvcFormat format;
  if (!read_avc_start(sps, chroma, format)) return false;
  out = format;
  return true;
}

}  // namespace headgate
