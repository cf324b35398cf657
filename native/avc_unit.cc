#include "avc_unit.h"

#include <algorithm>
#include <cstring>

#include "sps.h"

namespace headgate {

namespace {

// FLV: frame type and codec, packet type, composition time.
constexpr uint32_t kTagBytes = 5;
constexpr uint8_t kKeyframe = 0x10;
constexpr uint8_t kInterFrame = 0x20;
constexpr uint8_t kAvc = 7;
constexpr uint8_t kAvcHeader = 0;
constexpr uint8_t kAvcUnits = 1;

// Before a NAL unit; the header says so.
constexpr uint32_t kLengthBytes = 4;

// NAL unit types (H.264 table 7-1).
constexpr uint8_t kLastSlice = 5;
constexpr uint8_t kIdrSlice = 5;
constexpr uint8_t kSequenceSet = 7;
constexpr uint8_t kPictureSet = 8;
constexpr uint8_t kDelimiter = 9;

// How many sets the record can count: five bits of sequence sets, eight of picture sets.
constexpr uint32_t kSequenceSetsMax = 31;
constexpr uint32_t kPictureSetsMax = 255;

// A set says profile and level in the three bytes behind its header.
constexpr uint32_t kSequenceSetBytesMin = 4;

constexpr uint32_t kFirstRoom = 64 * 1024;

void write_u16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

}  // namespace

bool AvcSets::add(const uint8_t* nal, uint32_t length, uint32_t count_max) {
  for (uint32_t at = 0; at < size_;) {
    const uint32_t other = static_cast<uint32_t>(bytes_[at]) << 8 | bytes_[at + 1];
    if (other == length && std::memcmp(&bytes_[at + 2], nal, length) == 0) return true;
    at += 2 + other;
  }
  if (count_ == count_max || length + 2 > kAvcSetBytesMax - size_) return false;
  write_u16(&bytes_[size_], length);
  std::memcpy(&bytes_[size_ + 2], nal, length);
  size_ += 2 + length;
  count_++;
  return true;
}

bool AvcSets::same(const AvcSets& other) const {
  return size_ == other.size_ && std::memcmp(bytes_.data(), other.bytes_.data(), size_) == 0;
}

uint32_t write_avc_header(const AvcConfig& config, std::array<uint8_t, kAvcHeaderBytesMax>& out) {
  const uint8_t* first = config.sequence.bytes() + 2;
  const uint32_t first_length =
      static_cast<uint32_t>(config.sequence.bytes()[0]) << 8 | config.sequence.bytes()[1];
  const uint8_t start[] = {kKeyframe | kAvc, kAvcHeader, 0, 0, 0, 1, first[1], first[2], first[3],
                           0xfc | (kLengthBytes - 1), static_cast<uint8_t>(0xe0 | config.sequence.count())};
  uint8_t* at = std::copy(std::begin(start), std::end(start), out.data());
  at = std::copy_n(config.sequence.bytes(), config.sequence.size(), at);
  *at++ = static_cast<uint8_t>(config.picture.count());
  at = std::copy_n(config.picture.bytes(), config.picture.size(), at);
  // Profiles beyond baseline, main and extended repeat how samples are coded.
  if (first[1] != 66 && first[1] != 77 && first[1] != 88) {
    AvcFormat format;
    h264_format(first, first_length, format);
    *at++ = static_cast<uint8_t>(0xfc | format.chroma_format);
    *at++ = static_cast<uint8_t>(0xf8 | (format.bit_depth_luma - 8));
    *at++ = static_cast<uint8_t>(0xf8 | (format.bit_depth_chroma - 8));
    *at++ = 0;
  }
  return static_cast<uint32_t>(at - out.data());
}

void AvcUnit::begin() {
  constexpr uint8_t kRoomForTag[kTagBytes] = {};
  block_.truncate(0);
  config_.sequence.clear();
  config_.picture.clear();
  nal_open_ = false;
  failed_ = false;
  has_slice_ = false;
  is_idr_ = false;
  is_reference_ = false;
  append(kRoomForTag, kTagBytes);
  nal_at_ = kTagBytes;
}

// A start code is a one behind two zeros. The zeros may have come in an earlier piece: by then they
// are at the end of the block. No NAL unit holds such three bytes (H.264 7.4.1).
void AvcUnit::take(const uint8_t* bytes, size_t length) {
  while (length > 0 && !failed_) {
    const void* found = std::memchr(bytes, 1, length);
    const size_t before = found == nullptr ? length : static_cast<const uint8_t*>(found) - bytes;
    if (!append(bytes, before)) return;
    bytes += before;
    length -= before;
    if (length == 0) return;
    const uint8_t* held = block_.bytes();
    const uint32_t size = block_.size();
    if (size >= nal_from() + 2 && held[size - 1] == 0 && held[size - 2] == 0) {
      close_nal();
      open_nal();
    } else {
      append(bytes, 1);
    }
    bytes++;
    length--;
  }
}

void AvcUnit::end() {
  if (!failed_) close_nal();
}

const uint8_t* AvcUnit::body(bool keyframe, int32_t composition_ms) {
  const uint32_t time = static_cast<uint32_t>(composition_ms);
  const uint8_t frame_type = keyframe ? kKeyframe : kInterFrame;
  const uint8_t tag[kTagBytes] = {static_cast<uint8_t>(frame_type | kAvc), kAvcUnits,
                                  static_cast<uint8_t>(time >> 16), static_cast<uint8_t>(time >> 8),
                                  static_cast<uint8_t>(time)};
  block_.overwrite(0, tag, kTagBytes);
  return block_.bytes();
}

bool AvcUnit::append(const uint8_t* bytes, size_t length) {
  const size_t needed = block_.size() + length;
  if (needed > block_.capacity()) {
    const size_t wanted = std::max<size_t>({needed, block_.capacity() * size_t{2}, kFirstRoom});
    const size_t room = std::min<size_t>(wanted, kAvcUnitBytesMax);
    if (needed > kAvcUnitBytesMax || !block_.reserve(static_cast<uint32_t>(room))) {
      failed_ = true;
      return false;
    }
  }
  if (length > 0) block_.append(bytes, static_cast<uint32_t>(length));
  return true;
}

void AvcUnit::open_nal() {
  constexpr uint8_t kRoomForLength[kLengthBytes] = {};
  nal_at_ = block_.size();
  if (append(kRoomForLength, kLengthBytes)) nal_open_ = true;
}

// Where the bytes of the NAL unit begin, or what comes before the first one.
uint32_t AvcUnit::nal_from() const { return nal_open_ ? nal_at_ + kLengthBytes : nal_at_; }

// Zeros at the end belong to the next start code, or pad; a NAL unit ends otherwise.
void AvcUnit::close_nal() {
  const uint32_t from = nal_from();
  uint32_t end = block_.size();
  while (end > from && block_.bytes()[end - 1] == 0) end--;
  const uint32_t length = end - from;
  if (!nal_open_ || length == 0 || leaves_body(block_.bytes() + from, length)) {
    block_.truncate(nal_at_);
  } else {
    const uint8_t prefix[kLengthBytes] = {0, static_cast<uint8_t>(length >> 16),
                                          static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
    block_.truncate(end);
    block_.overwrite(nal_at_, prefix, kLengthBytes);
  }
  nal_open_ = false;
}

// Looks at a whole NAL unit. True when it goes elsewhere: delimiters nowhere, since messages delimit;
// parameter sets into the header. What finds no room there, or comes without the sequence set it
// completes, stays with the pictures, where decoders find it too.
bool AvcUnit::leaves_body(const uint8_t* nal, uint32_t length) {
  const uint8_t type = nal[0] & 0x1f;
  if (type >= 1 && type <= kLastSlice) {
    has_slice_ = true;
    is_idr_ = is_idr_ || type == kIdrSlice;
    is_reference_ = is_reference_ || (nal[0] & 0x60) != 0;
    return false;
  }
  switch (type) {
    case kDelimiter:
      return true;
    case kSequenceSet:
      return length >= kSequenceSetBytesMin && config_.sequence.add(nal, length, kSequenceSetsMax);
    case kPictureSet:
      return config_.sequence.count() > 0 && config_.picture.add(nal, length, kPictureSetsMax);
    default:
      return false;
  }
}

}  // namespace headgate
