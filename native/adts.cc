#include "adts.h"

#include <cstring>

namespace headgate {

namespace {

constexpr size_t kHeaderBytes = 7;
constexpr size_t kHeaderWithCrcBytes = 9;
constexpr uint32_t kSamplesPerBlock = 1024;
constexpr int64_t kTicksPerSecond = 90'000;

// By sampling_frequency_index (ISO/IEC 14496-3, table 1.18); the three places behind are reserved.
constexpr uint32_t kRates[] = {96'000, 88'200, 64'000, 48'000, 44'100, 32'000, 24'000,
                               22'050, 16'000, 12'000, 11'025, 8'000,  7'350};
constexpr size_t kRateCount = sizeof(kRates) / sizeof(kRates[0]);

// Twelve ones, and layer 0. The bit between says MPEG-2 or MPEG-4, which is all the same.
bool is_sync(const uint8_t* bytes) { return bytes[0] == 0xff && (bytes[1] & 0xf6) == 0xf0; }

}  // namespace

struct AdtsReader::Header {
  size_t header_bytes;
  size_t frame_bytes;
  uint16_t config;
  uint32_t rate;
  bool usable;
};

void AdtsReader::restart() {
  length_ = 0;
  at_ = 0;
  synced_ = false;
  marked_ = false;
  timed_ = false;
}

void AdtsReader::mark(int64_t ticks) {
  marked_ = true;
  mark_at_ = length_;
  mark_ticks_ = ticks;
}

void AdtsReader::take(TsSpan payload) {
  if (at_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + at_, left());
    mark_at_ = mark_at_ > at_ ? mark_at_ - at_ : 0;
    length_ = left();
    at_ = 0;
  }
  // Never too long: what was left was less than a frame and the start of the next.
  if (payload.length > bytes_.size() - length_) return restart();
  if (payload.length > 0) std::memcpy(bytes_.data() + length_, payload.bytes, payload.length);
  length_ += payload.length;
}

bool AdtsReader::next(AdtsFrame& frame) {
  Header header{};
  while (read_header(header)) {
    const uint8_t* raw = bytes_.data() + at_ + header.header_bytes;
    const int64_t ticks = time_of(header);
    const bool usable = header.usable && timed_;
    if (!header.usable) skipped_++;
    at_ += header.frame_bytes;
    if (!usable) continue;
    frame = {{raw, header.frame_bytes - header.header_bytes}, header.config, ticks};
    return true;
  }
  return false;
}

// Goes to the next frame that is whole. False when there is none yet.
bool AdtsReader::read_header(Header& header) {
  while (left() >= kHeaderBytes) {
    const uint8_t* bytes = bytes_.data() + at_;
    const size_t rate_index = bytes[2] >> 2 & 0x0f;
    header.header_bytes = (bytes[1] & 1) != 0 ? kHeaderBytes : kHeaderWithCrcBytes;
    header.frame_bytes = static_cast<size_t>(bytes[3] & 3) << 11 |
                         static_cast<size_t>(bytes[4]) << 3 | bytes[5] >> 5;
    if (!is_sync(bytes) || rate_index >= kRateCount || header.frame_bytes <= header.header_bytes) {
      synced_ = false;
      at_++;
      continue;
    }
    if (left() < header.frame_bytes + (synced_ ? 0 : 2)) return false;
    if (!is_believed(header)) {
      at_++;
      continue;
    }
    const uint32_t object_type = (bytes[2] >> 6) + 1;
    const uint32_t channels = static_cast<uint32_t>(bytes[2] & 1) << 2 | bytes[3] >> 6;
    synced_ = true;
    header.rate = kRates[rate_index];
    header.config = static_cast<uint16_t>(object_type << 11 | rate_index << 7 | channels << 3);
    // Without a number, channels are described in the frames, which no player of FLV reads.
    header.usable = channels != 0 && (bytes[6] & 3) == 0;
    return true;
  }
  return false;
}

// A sync word occurs in frames too; with another one right behind the frame it is none.
bool AdtsReader::is_believed(const Header& header) const {
  return synced_ || is_sync(bytes_.data() + at_ + header.frame_bytes);
}

int64_t AdtsReader::time_of(const Header& header) {
  if (marked_ && at_ >= mark_at_) {
    marked_ = false;
    timed_ = true;
    ticks_ = mark_ticks_;
    samples_ = 0;
  }
  // A change of rate begins a count of its own.
  if (header.rate != rate_) {
    if (rate_ != 0) ticks_ += static_cast<int64_t>(samples_) * kTicksPerSecond / rate_;
    rate_ = header.rate;
    samples_ = 0;
  }
  const int64_t ticks = ticks_ + static_cast<int64_t>(samples_) * kTicksPerSecond / rate_;
  samples_ += kSamplesPerBlock;
  return ticks;
}

}  // namespace headgate
