// ADTS (ISO/IEC 13818-7, 6.2): AAC frames in a byte stream, each with a header that says how long it
// is and how it is coded.
#ifndef HEADGATE_ADTS_H_
#define HEADGATE_ADTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "ts_packet.h"

namespace headgate {

/// A frame's length has 13 bits, its header included.
inline constexpr size_t kAdtsFrameBytesMax = 8191;

/// One AAC frame without its header.
struct AdtsFrame {
  TsSpan raw;
  /// AudioSpecificConfig of two bytes (ISO/IEC 14496-3, 1.6.2.1): what a decoder is set up with.
  uint16_t config;
  /// 90 kHz: the stamp of the PES packet it is in, plus the frames between.
  int64_t ticks;
};

/// Cuts payloads into frames, which may lie across any number of payloads. Memory is fixed (8.5 KiB).
class AdtsReader {
 public:
  /// Bytes are missing: what is held is dropped, and frames are believed again once two are found
  /// one behind the other.
  void restart();

  /// The next payload begins a PES packet: `ticks` is the time of the first frame that begins in it.
  void mark(int64_t ticks);

  /// Takes at most kTsPacketBytes; call `next` until it returns false before taking more.
  void take(TsSpan payload);

  /// The next whole frame; its bytes are valid until the next call of any kind. Frames before the first time
  /// stamp are left out.
  bool next(AdtsFrame& frame);

  /// Frames that were whole but of no use: several blocks in one, or channels told elsewhere.
  uint64_t skipped() const { return skipped_; }

 private:
  struct Header;

  bool read_header(Header& header);
  bool is_believed(const Header& header) const;
  int64_t time_of(const Header& header);
  size_t left() const { return length_ - at_; }

  std::array<uint8_t, kAdtsFrameBytesMax + kTsPacketBytes + 2> bytes_;
  size_t length_ = 0;
  size_t at_ = 0;  // bytes before it have been read
  bool synced_ = false;
  bool marked_ = false;
  size_t mark_at_ = 0;
  int64_t mark_ticks_ = 0;
  bool timed_ = false;
  int64_t ticks_ = 0;  // of the last stamp that held
  uint32_t rate_ = 0;
  uint64_t samples_ = 0;  // since then
  uint64_t skipped_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_ADTS_H_
