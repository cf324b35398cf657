// TsPublication: one published transport stream on its way through the limits. It asks the meter
// what a datagram holds and accounting whether it may pass, and hands on what passed.
//
// In drop mode what passes decodes: units are dropped whole, from their first packet to the last;
// the continuity counters of a video PID are closed over the gap; a PCR that would be lost goes out
// in a packet of its own; a picture that leads a random-access unit into a gap is not sent.
#ifndef HEADGATE_TS_PUBLICATION_H_
#define HEADGATE_TS_PUBLICATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "accounting.h"

namespace headgate {

/// What of a datagram goes on to consumers: whole packets, in order. Valid until the next take().
struct TsPassed {
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  /// A unit begins here that a player can start with (of audio, if the program has no video).
  bool random_access = false;
  size_t random_access_at = 0;  ///< offset of that unit's first packet
};

/// Counts since the publication began, and the picture as it is now (0 = not seen).
struct TsFigures {
  uint64_t continuity_errors = 0;
  uint64_t skipped_bytes = 0;
  uint64_t resyncs = 0;
  uint64_t scrambled_packets = 0;
  uint32_t width = 0;
  uint32_t height = 0;
};

/// The longest datagram; SRT carries 1,456 bytes at most. What is longer is cut, and the rest skipped.
inline constexpr size_t kTsDatagramBytesMax = 2048;

/// One thread at a time. `row` is the stream row of `slot`; it and `accounting` outlive this.
class TsPublication {
 public:
  TsPublication(uint32_t slot, double* row, Accounting& accounting);
  ~TsPublication();
  TsPublication(const TsPublication&) = delete;
  TsPublication& operator=(const TsPublication&) = delete;

  /// Counts, charges and filters one datagram. `now` is monotonic ms.
  TsPassed take(const uint8_t* payload, size_t length, double now);

  /// Charges what take() left to be charged; call at the end of a batch of reads.
  void settle(double now);

  /// PAT and PMT as last sent, as whole packets; 0 while unknown or when `room` is less than
  /// kTsTableBytesMax.
  size_t tables(uint8_t* out, size_t room) const;

  TsFigures figures() const;
  uint32_t slot() const;

 private:
  class Filter;
  std::unique_ptr<Filter> filter_;
};

}  // namespace headgate

#endif  // HEADGATE_TS_PUBLICATION_H_
