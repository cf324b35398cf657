// Program specific information (ISO/IEC 13818-1, 2.4.4): which packets of a transport stream are
// video, which audio, and coded how. The PAT lists programs, the PMT of a program its streams.
#ifndef HEADGATE_TS_PSI_H_
#define HEADGATE_TS_PSI_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "ts_packet.h"

namespace headgate {

/// Programs of a PAT that are looked at; a contribution feed holds one.
inline constexpr size_t kTsProgramsMax = 8;
/// Elementary streams of a program that are told apart.
inline constexpr size_t kTsStreamsMax = 24;
/// The longest section of a PAT or PMT: 12 bits of length, of which 1021 may be used.
inline constexpr size_t kTsSectionBytesMax = 1024;

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

/// Puts one section together from the payloads of its packets.
class TsSection {
 public:
  /// Takes one packet's payload; true when a section became whole and its CRC holds.
  bool take(const TsPacket& packet);
  const uint8_t* bytes() const { return bytes_.data(); }
  size_t length() const { return length_; }

 private:
  bool append(const uint8_t* bytes, size_t count);
  void drop();

  std::array<uint8_t, kTsSectionBytesMax> bytes_{};
  size_t length_ = 0;  // of the section that is whole, or being put together
  size_t have_ = 0;
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
  /// the PMT is unknown or when `room` is too small (2 * 6 packets always suffice).
  size_t write(uint8_t* out, size_t room) const;

 private:
  struct Entry {
    uint16_t number = 0;
    uint16_t pid = 0;
    bool known = false;
    bool has_video = false;
    TsSection section;
  };
  struct Kept {
    std::array<uint8_t, kTsSectionBytesMax> bytes{};
    size_t length = 0;
    uint8_t continuity = 0;  // of its last packet

    bool same(const TsSection& section) const;
    void keep(const TsSection& section);
  };

  void read_pat();
  bool read_pmt(Entry& entry);
  bool choose(const Entry& entry, const TsProgram& program);

  TsSection pat_section_;
  Kept pat_;
  Kept pmt_;
  std::array<Entry, kTsProgramsMax> entries_{};
  size_t entry_count_ = 0;
  bool known_ = false;
  TsProgram program_;
};

}  // namespace headgate

#endif  // HEADGATE_TS_PSI_H_
