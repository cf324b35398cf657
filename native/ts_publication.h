// TsPublication: one published transport stream on its way through the limits. It cuts datagrams
// into packets, lets the meter say what they are and accounting whether they may pass, and hands on
// what passed. It lives from attach to detach.
#ifndef HEADGATE_TS_PUBLICATION_H_
#define HEADGATE_TS_PUBLICATION_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "accounting.h"
#include "ts_filter.h"
#include "ts_meter.h"
#include "ts_outlet.h"
#include "ts_packet.h"
#include "ts_piece.h"

namespace headgate {

/// Counts since the publication began, and the picture as it is now (0 = not seen).
struct TsFigures {
  uint64_t continuity_errors = 0;
  uint64_t skipped_bytes = 0;
  uint64_t resyncs = 0;
  uint64_t scrambled_packets = 0;
  uint32_t width = 0;
  uint32_t height = 0;
};

/// One thread at a time. `row` is the stream row of `slot`; it and `accounting` outlive this.
class TsPublication {
 public:
  TsPublication(uint32_t slot, double* row, Accounting& accounting)
      : slot_(slot), row_(row), accounting_(accounting), filter_(slot, row, accounting) {}
  TsPublication(const TsPublication&) = delete;
  TsPublication& operator=(const TsPublication&) = delete;

  uint32_t slot() const { return slot_; }

  /// Counts, charges and filters one datagram. `now` is monotonic ms.
  TsPassed take(const uint8_t* payload, size_t length, double now);

  /// Charges what take() left to be charged; call at the end of a batch of reads.
  void settle(double now) { accounting_.settle(slot_, now); }

  /// PAT and PMT as last sent, as whole packets; 0 while unknown or when `room` is less than
  /// kTsTableBytesMax.
  size_t tables(uint8_t* out, size_t room) const { return meter_.tables().write(out, room); }

  TsFigures figures() const;

 private:
  void follow_program();
  void split(const uint8_t* payload, size_t length);
  void pass(size_t length, double now);
  void filter(size_t length, double now);
  void charge_clocks(double now);

  const uint32_t slot_;
  double* const row_;
  Accounting& accounting_;
  TsSplitter splitter_;
  TsMeter meter_;
  TsFilter filter_;
  TsOutlet outlet_;
  uint32_t generation_ = 0;
  uint64_t cut_bytes_ = 0;
  std::array<TsPiece, kTsPiecesMax> pieces_;
  size_t piece_count_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_TS_PUBLICATION_H_
