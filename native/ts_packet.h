// MPEG-TS packets (ISO/IEC 13818-1, 2.4.3): a bounded view of one, and what cuts a byte stream into
// them whatever its pieces are.
#ifndef HEADGATE_TS_PACKET_H_
#define HEADGATE_TS_PACKET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace headgate {

inline constexpr size_t kTsPacketBytes = 188;
inline constexpr uint8_t kTsSync = 0x47;

/// PIDs that mean the same in every stream.
namespace ts_pid {
constexpr uint16_t PAT = 0;
constexpr uint16_t STUFFING = 0x1fff;  ///< null packets: padding to a constant rate
constexpr uint32_t COUNT = 0x2000;
}  // namespace ts_pid

/// A span of bytes inside a packet.
struct TsSpan {
  const uint8_t* bytes = nullptr;
  size_t length = 0;
};

/// One packet of kTsPacketBytes that belongs to somebody else. Every access is inside it, whatever
/// its fields claim.
class TsPacket {
 public:
  explicit TsPacket(const uint8_t* bytes) : bytes_(bytes) {}

  const uint8_t* bytes() const { return bytes_; }
  uint16_t pid() const { return static_cast<uint16_t>((bytes_[1] & 0x1f) << 8 | bytes_[2]); }
  /// A PES packet or a section begins in the payload.
  bool unit_start() const { return (bytes_[1] & 0x40) != 0; }
  bool scrambled() const { return (bytes_[3] & 0xc0) != 0; }
  uint8_t continuity() const { return bytes_[3] & 0x0f; }
  bool has_payload() const { return (bytes_[3] & 0x10) != 0; }
  bool has_adaptation() const { return (bytes_[3] & 0x20) != 0; }

  bool discontinuity() const { return (adaptation_flags() & 0x80) != 0; }
  bool random_access() const { return (adaptation_flags() & 0x40) != 0; }
  bool has_pcr() const { return (adaptation_flags() & 0x10) != 0 && bytes_[4] >= 7; }
  /// The 33-bit base of the PCR, 90 kHz. Only with has_pcr().
  uint64_t pcr_base() const {
    return static_cast<uint64_t>(bytes_[6]) << 25 | static_cast<uint64_t>(bytes_[7]) << 17 |
           static_cast<uint64_t>(bytes_[8]) << 9 | static_cast<uint64_t>(bytes_[9]) << 1 |
           bytes_[10] >> 7;
  }

  /// Empty without a payload, or when the adaptation field claims more than the packet holds.
  TsSpan payload() const {
    const size_t at = has_adaptation() ? size_t{5} + bytes_[4] : 4;
    if (!has_payload() || at >= kTsPacketBytes) return {};
    return {bytes_ + at, kTsPacketBytes - at};
  }

 private:
  // None when the field is empty or longer than the packet.
  uint8_t adaptation_flags() const {
    return has_adaptation() && bytes_[4] > 0 && bytes_[4] <= kTsPacketBytes - 5 ? bytes_[5] : 0;
  }

  const uint8_t* bytes_;
};

/// Any pieces in, whole packets out. What is not a packet is skipped and counted. A packet that
/// lies in one piece is not copied.
class TsSplitter {
 public:
  /// Calls `sink(const uint8_t* packet)` for every packet that is whole by now, in order. A packet
  /// points into `bytes`, or into the splitter (only the first one) until the next call.
  template <typename Sink>
  void split(const uint8_t* bytes, size_t length, Sink&& sink) {
    size_t at = 0;
    if (carried_ > 0 && !complete(bytes, length, at, sink)) return;
    while (length - at >= kTsPacketBytes) {
      if (!synced_ || bytes[at] != kTsSync) {
        at = search(bytes, length, at);
        if (length - at < kTsPacketBytes) break;
      }
      sink(bytes + at);
      at += kTsPacketBytes;
    }
    keep(bytes, length, at);
  }

  /// Bytes held of a packet that is not whole yet: below kTsPacketBytes.
  size_t carried() const { return carried_; }
  /// Of a packet that came in several pieces: its bytes that came before the last piece.
  size_t joined_before() const { return joined_before_; }
  /// Bytes that were in no packet.
  uint64_t skipped_bytes() const { return skipped_bytes_; }
  /// Times the packets were lost and found again.
  uint64_t resyncs() const { return resyncs_; }

 private:
  // A sync byte occurs in payload too: as evidence it counts at this many packets in a row, or as
  // many as are there.
  static constexpr size_t kEvidence = 3;

  // Finishes the packet that began in earlier pieces. False when it needs more than this one.
  template <typename Sink>
  bool complete(const uint8_t* bytes, size_t length, size_t& at, Sink&& sink) {
    const size_t missing = kTsPacketBytes - carried_;
    if (length < missing) {
      std::memcpy(carry_.data() + carried_, bytes, length);
      carried_ += length;
      return false;
    }
    // After a loss the two halves are of different packets: then the next one is not behind it.
    if (length > missing && bytes[missing] != kTsSync) {
      skipped_bytes_ += carried_;
      carried_ = 0;
      synced_ = false;
      return true;
    }
    joined_before_ = carried_;
    std::memcpy(joined_.data(), carry_.data(), carried_);
    std::memcpy(joined_.data() + carried_, bytes, missing);
    carried_ = 0;
    at = missing;
    find();
    sink(static_cast<const uint8_t*>(joined_.data()));
    return true;
  }

  // From `at` on, where packets begin; `length` when nowhere.
  size_t search(const uint8_t* bytes, size_t length, size_t at) {
    synced_ = false;
    const size_t from = at;
    while (at < length && !is_evident(bytes, length, at)) at++;
    skipped_bytes_ += at - from;
    if (length - at >= kTsPacketBytes) find();
    return at;
  }

  static bool is_evident(const uint8_t* bytes, size_t length, size_t at) {
    for (size_t i = 0; i < kEvidence && at < length; i++, at += kTsPacketBytes) {
      if (bytes[at] != kTsSync) return false;
    }
    return true;
  }

  void find() {
    if (synced_) return;
    synced_ = true;
    if (seen_) resyncs_++;
    seen_ = true;
  }

  void keep(const uint8_t* bytes, size_t length, size_t at) {
    if (at < length && bytes[at] != kTsSync) at = search(bytes, length, at);
    carried_ = length - at;
    if (carried_ > 0) std::memcpy(carry_.data(), bytes + at, carried_);
  }

  std::array<uint8_t, kTsPacketBytes> carry_;   // of a packet that is not whole yet
  std::array<uint8_t, kTsPacketBytes> joined_;  // the packet that came in several pieces
  size_t carried_ = 0;
  size_t joined_before_ = 0;
  bool synced_ = false;
  bool seen_ = false;
  uint64_t skipped_bytes_ = 0;
  uint64_t resyncs_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_TS_PACKET_H_
