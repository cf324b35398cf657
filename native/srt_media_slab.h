// Payload on its way to JavaScript, in memory that JavaScript gave: two halves, of which the thread
// fills one while JavaScript reads the other. A record is four doubles: id, offset, length, flags.
#ifndef HEADGATE_SRT_MEDIA_SLAB_H_
#define HEADGATE_SRT_MEDIA_SLAB_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace headgate {

/// Bits of a record's flags: SRT_MEDIA in src/native/srt.ts.
namespace srt_media {
constexpr uint32_t RANDOM_ACCESS = 1;
constexpr uint32_t GAP = 2;
}  // namespace srt_media

/// Records of a sealed half: `first` counts in records from the start of the table.
struct SealedMedia {
  size_t first = 0;
  size_t count = 0;
};

/// Of one thread; whoever seals sees to it that JavaScript is done with the half before.
class SrtMediaSlab {
 public:
  static constexpr size_t kRecordDoubles = 4;
  /// Datagrams of one connection in a row become one record up to this many bytes: a record is one
  /// write to each player, and should not keep the others waiting.
  static constexpr size_t kRecordBytesMax = 64 * 1024;

  SrtMediaSlab(uint8_t* bytes, size_t length, double* records, size_t doubles)
      : bytes_(bytes), half_bytes_(length / 2), records_(records), half_records_(doubles / kRecordDoubles / 2) {}

  /// False: there is no room, nothing was written. Flags begin a new record.
  bool write(double id, const uint8_t* bytes, size_t length, uint32_t flags) {
    if (length > half_bytes_ - used_) return false;
    double* last = count_ == 0 ? nullptr : record(count_ - 1);
    const bool joins = last != nullptr && last[0] == id && flags == 0 && last[2] + length <= kRecordBytesMax;
    if (!joins && count_ == half_records_) return false;
    const size_t at = half_ * half_bytes_ + used_;
    std::memcpy(bytes_ + at, bytes, length);
    used_ += length;
    if (joins) {
      last[2] += static_cast<double>(length);
      return true;
    }
    double* fresh = record(count_++);
    fresh[0] = id;
    fresh[1] = static_cast<double>(at);
    fresh[2] = static_cast<double>(length);
    fresh[3] = flags;
    return true;
  }

  bool is_empty() const { return count_ == 0; }

  SealedMedia seal() {
    const SealedMedia sealed{half_ * half_records_, count_};
    half_ ^= 1;
    used_ = 0;
    count_ = 0;
    return sealed;
  }

 private:
  double* record(size_t index) const {
    return records_ + (half_ * half_records_ + index) * kRecordDoubles;
  }

  uint8_t* const bytes_;
  const size_t half_bytes_;
  double* const records_;
  const size_t half_records_;
  size_t half_ = 0;
  size_t used_ = 0;
  size_t count_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_SRT_MEDIA_SLAB_H_
