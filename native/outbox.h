// Outbox: messages on their way to JavaScript, as records in memory that JavaScript gave. A record
// is 24 bytes of header, little endian, then the body, padded to 8:
//   u8 type, u8 flags, u16 0, u32 length, u32 timestamp, u32 message stream, u32 chunk stream, u32 0
#ifndef HEADGATE_OUTBOX_H_
#define HEADGATE_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace headgate {

#define HEADGATE_RECORD_FLAGS(X) X(KEYFRAME, 1) X(HEADER, 2) X(DISPOSABLE, 4) X(METADATA, 8) X(REPLAY, 16)

/// Bits of a record's flags.
namespace record_flag {
#define HEADGATE_ENTRY(name, value) inline constexpr uint8_t name = value;
HEADGATE_RECORD_FLAGS(HEADGATE_ENTRY)
#undef HEADGATE_ENTRY
}  // namespace record_flag

struct Record {
  uint8_t type;
  uint8_t flags;
  uint32_t timestamp;
  uint32_t message_stream_id;
  uint32_t chunk_stream_id;
};

class Outbox {
 public:
  static constexpr size_t kRecordHeaderBytes = 24;

  Outbox(uint8_t* bytes, size_t capacity) : bytes_(bytes), capacity_(capacity) {}

  void empty() {
    used_ = 0;
    records_ = 0;
  }

  bool fits(uint32_t length) const { return padded(length) <= capacity_ - used_; }

  /// Appends a record that fits.
  void write(const Record& record, const uint8_t* body, uint32_t length) {
    uint8_t* at = bytes_ + used_;
    const uint8_t start[4] = {record.type, record.flags, 0, 0};
    const uint32_t words[5] = {length, record.timestamp, record.message_stream_id,
                               record.chunk_stream_id, 0};
    // Words go out in the machine's order; Node runs on little endian machines only, bar one.
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are little endian");
    std::memcpy(at, start, sizeof(start));
    std::memcpy(at + sizeof(start), words, sizeof(words));
    if (length > 0) std::memcpy(at + kRecordHeaderBytes, body, length);
    used_ += padded(length);
    records_++;
  }

  size_t used() const { return used_; }
  uint32_t records() const { return records_; }

 private:
  static size_t padded(uint32_t length) {
    return kRecordHeaderBytes + ((static_cast<size_t>(length) + 7) & ~static_cast<size_t>(7));
  }

  uint8_t* const bytes_;
  const size_t capacity_;
  size_t used_ = 0;
  uint32_t records_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_OUTBOX_H_
