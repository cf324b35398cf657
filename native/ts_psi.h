// Program specific information (ISO/IEC 13818-1, 2.4.4): which packets of a transport stream are
// video, which audio, and coded how. The PAT lists programs, the PMT of a program its streams.
#ifndef HEADGATE_TS_PSI_H_
#define HEADGATE_TS_PSI_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ts_packet.h"

namespace headgate {

/// Programs of a PAT that are looked at; a contribution feed holds one.
inline constexpr size_t kTsProgramsMax = 8;
/// Elementary streams of a program that are told apart.
inline constexpr size_t kTsStreamsMax = 24;
/// The longest section of a PAT or PMT: 12 bits of length, of which 1021 may be used.
inline constexpr size_t kTsSectionBytesMax = 1024;
/// A PAT and a PMT of that length, six packets each.
inline constexpr size_t kTsTableBytesMax = 12 * kTsPacketBytes;

enum class TsStreamKind : uint8_t { kOther, kVideo, kAudio };

struct TsStream {
  uint16_t pid;
  uint8_t stream_type;  ///< as in the PMT
  TsStreamKind kind;
  uint8_t codec;  ///< number in VIDEO_CODECS or AUDIO_CODECS; 0 = none of them
};

/// The program that is metered: the first with video, else the first.
struct TsProgram {
  uint16_t number = 0;
  uint16_t pmt_pid = 0;
  uint16_t pcr_pid = ts_pid::STUFFING;
  uint8_t stream_count = 0;
  std::array<TsStream, kTsStreamsMax> streams{};

  bool has_video() const;
};

/// CRC-32/MPEG-2; over a section with its own CRC it is 0.
uint32_t crc32_mpeg2(const uint8_t* bytes, size_t length);

/// Puts the sections of one PID together from the payloads of its packets.
class TsSections {
 public:
  /// Calls `sink()` for every section that becomes whole by this packet; bytes() and length() are
  /// that section then. Its CRC is not checked.
  template <typename Sink>
  void take(const TsPacket& packet, Sink&& sink) {
    const TsSpan payload = packet.payload();
    if (payload.length == 0 || packet.scrambled()) return;
    if (open_ && !packet.unit_start() && packet.continuity() == continuity_) return;  // sent twice
    const bool follows = packet.continuity() == ((continuity_ + 1) & 0x0f);
    continuity_ = packet.continuity();
    const uint8_t* at = payload.bytes;
    const uint8_t* const end = at + payload.length;
    if (!packet.unit_start()) {
      if (open_ && !follows) open_ = false;
      append(at, end, sink);
      return;
    }
    const size_t pointer = *at++;
    if (pointer > static_cast<size_t>(end - at)) return drop();
    const uint8_t* const first = at + pointer;
    if (open_ && follows) append(at, first, sink);
    at = first;
    while (at < end && *at != kStuffing) {
      open();
      at = append(at, end, sink);
    }
  }

  const uint8_t* bytes() const { return bytes_.data(); }
  size_t length() const { return length_; }
  uint8_t continuity() const { return continuity_; }

 private:
  static constexpr uint8_t kStuffing = 0xff;
  static constexpr size_t kHeadBytes = 3;

  void open() {
    open_ = true;
    length_ = 0;
  }
  void drop() { open_ = false; }

  // Takes what belongs to the open section; returns where that ends.
  template <typename Sink>
  const uint8_t* append(const uint8_t* at, const uint8_t* end, Sink&& sink) {
    while (open_ && at < end) {
      const size_t wanted = length_ < kHeadBytes ? kHeadBytes : kHeadBytes + declared();
      if (wanted > bytes_.size()) {
        drop();
        return end;
      }
      const size_t there = static_cast<size_t>(end - at);
      const size_t missing = wanted - length_;
      const size_t count = there < missing ? there : missing;
      std::memcpy(bytes_.data() + length_, at, count);
      length_ += count;
      at += count;
      if (length_ >= kHeadBytes && length_ == kHeadBytes + declared()) {
        open_ = false;
        sink();
      }
    }
    return at;
  }

  size_t declared() const { return static_cast<size_t>(bytes_[1] & 0x0f) << 8 | bytes_[2]; }

  std::array<uint8_t, kTsSectionBytesMax> bytes_{};
  size_t length_ = 0;
  bool open_ = false;
  uint8_t continuity_ = 0;
};

/// Follows PAT and PMT. Memory is fixed (about 12 KiB).
class TsTables {
 public:
  /// Reads a packet if it belongs to a table. True when the program changed by it.
  bool take(const TsPacket& packet);

  /// The PMT has been seen.
  bool known() const { return known_; }
  const TsProgram& program() const { return program_; }

  /// PAT and PMT as they were last sent, as whole packets to put before a player's first unit; their
  /// continuity counters lead up to the next ones of the stream. Returns the bytes written: 0 while
  /// the program is unknown or between a PAT and its PMT, and when `room` is below
  /// kTsTableBytesMax, what the longest need.
  size_t write(uint8_t* out, size_t room) const;

 private:
  // A program of the PAT.
  struct Entry {
    uint16_t number = 0;
    uint16_t pid = 0;
    TsSections sections;
  };
  // A section as it was last sent.
  struct Kept {
    std::array<uint8_t, kTsSectionBytesMax> bytes{};
    size_t length = 0;

    bool same(const TsSections& sections) const;
    void keep(const TsSections& sections);
  };

  bool read_pat();
  bool read_pmt(size_t entry);
  bool is_better(size_t entry, const TsProgram& program) const;
  size_t entry_of(const TsProgram& program) const;

  TsSections pat_sections_;
  Kept pat_;
  Kept pmt_;
  std::array<Entry, kTsProgramsMax> entries_{};
  size_t entry_count_ = 0;
  bool known_ = false;
  TsProgram program_;
};

}  // namespace headgate

#endif  // HEADGATE_TS_PSI_H_
