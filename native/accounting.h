// Accounting: every media message is counted on its stream and charged to the limits it meets.
//
// A limit is a node: one GCRA (ITU-T I.371) with bounded debt, whose whole state is a theoretical
// arrival time. Bytes have already arrived when they are counted, so a charge always happens;
// what comes back is how long the debt takes to repay. Only in drop mode is a message asked
// about before it is charged, because there it can still be refused.
//
// src/core/meter/accounting.ts is the same in TypeScript; one contract suite runs both and a
// differential test holds their slabs bit-equal (compile with -ffp-contract=off).
#ifndef HEADGATE_ACCOUNTING_H_
#define HEADGATE_ACCOUNTING_H_

#include <cstddef>
#include <cstdint>

#include "slab_layout.h"

namespace headgate {

/// Values of MessageMeta::kind.
namespace kind {
constexpr uint8_t AUDIO = 0;
constexpr uint8_t VIDEO = 1;
constexpr uint8_t DATA = 2;
}  // namespace kind

/// What accounting knows of one complete media message, or of the part of a datagram that is decided as one.
struct MessageMeta {
  uint32_t bytes;      ///< payload length
  uint8_t kind;        ///< kind::AUDIO, VIDEO or DATA
  uint8_t frames;      ///< access units of the fastest video track in it: what FPS is charged
  uint8_t all_frames;  ///< access units of all its video tracks: what is counted
  bool keyframe;       ///< starts a GOP
  bool header;         ///< audio or video sequence header: never dropped
  bool disposable;     ///< no other frame refers to it
  bool metadata;       ///< stream metadata: never dropped
  double dts;          ///< decoding time, ms, unwrapped past 2^32
  uint8_t packets = 1;  ///< packets it counts as: 0 for what shares a datagram with a part before it
};

/// Counts and charges over a slab that somebody else owns and that must outlive this object.
/// `slot` is a stream row; rows and nodes beyond the tables are ignored. `now` is monotonic ms.
/// One thread per stream row; node rows of client, address and global may be shared by threads.
class Accounting {
 public:
  Accounting(double* nodes, size_t node_rows, double* streams, size_t stream_rows);

  /// Decides and counts one message; false = dropped, hand it to nobody. Outside drop mode the
  /// counters move at once, and what it costs is kept in the stream row for the next settle().
  bool admit(uint32_t slot, const MessageMeta& message, double now);

  /// Counts what follows of a frame that admit() refused: a message in several parts is refused once.
  void refuse(uint32_t slot, uint32_t bytes, uint32_t packets, double now);

  /// Charges what admit() left since the last settle; call once at the end of a read. Returns the
  /// delay before the next read in ms: 0 = conforming, infinity = a limit of rate 0.
  double settle(uint32_t slot, double now);

  /// Counts and charges a batch without looking into it: no drop decision, no media clock.
  /// Returns the same delay as settle().
  double account(uint32_t slot, uint32_t bytes, uint32_t packets, uint32_t frames, double now);

  /// What a publisher that is held back still has to wait, ms, like the answer of settle(). Counts
  /// and charges nothing; what is still owed goes on being exceeded.
  double owed(uint32_t slot, double now);

 private:
  struct Totals {
    double bytes;
    double packets;
    double frames;
  };

  double* row_of(uint32_t slot) const;
  double* node_of(const double* row, uint32_t limit) const;
  void follow_media_clock(double* row, double dts);
  bool is_refused(double* row, const MessageMeta& message, bool enforced, double now);
  uint32_t nonconforming(const double* row, const MessageMeta& message, uint32_t first,
                         double now) const;
  bool is_flood(double* row, double now) const;
  uint32_t without_headroom(const double* row, double dts, double now) const;
  uint32_t charge_media(double* row, const MessageMeta& message, bool exempt);
  double charge_totals(double* row, const Totals& totals, uint32_t exceeded, double now);

  double* const nodes_;
  const size_t node_rows_;
  double* const streams_;
  const size_t stream_rows_;
};

}  // namespace headgate

#endif  // HEADGATE_ACCOUNTING_H_
