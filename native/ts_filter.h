// TsFilter: which packets of a datagram pass, where video may be dropped. Everything that is not
// video does, as long as it is not itself the flood. An access unit is decided where it begins, and what follows of it shares its fate;
// accounting says what conforms, and drops up to the next random access what lost a reference.
//
// A datagram is decided in segments: all that passes anyway, each unit that begins in it, what
// follows of units from before. So each byte is charged or dropped once, with its unit.
#ifndef HEADGATE_TS_FILTER_H_
#define HEADGATE_TS_FILTER_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "accounting.h"
#include "ts_meter.h"
#include "ts_piece.h"

namespace headgate {

/// A unit beyond this is none: what follows is decided datagram by datagram, as padding is. The
/// largest media message that RTMP may send is as long. Bytes.
inline constexpr uint32_t kTsUnitBytesMax = 8 * 1024 * 1024;

class TsFilter {
 public:
  TsFilter(uint32_t slot, double* row, Accounting& accounting)
      : slot_(slot), row_(row), accounting_(accounting) {}

  /// Video may be dropped, by the stream's mode or because it still is.
  bool engaged() const;

  /// The program changed.
  void follow(const TsProgram& program) { lanes_.follow(program); }

  /// Outside the filter: a unit began and passes.
  void pass_unit(const TsReading& reading) { lanes_[reading.stream].part = kContinued; }

  /// Takes the packets of a datagram one by one, each as soon as it has been read; `unit` is the
  /// one that begins with it, if one does.
  void add(TsPiece& piece, const TsUnit& unit);

  /// Decides and charges what was added. `stray_bytes` came with it and are in no packet.
  void decide(uint32_t stray_bytes, double now);

  /// After decide().
  bool passes(const TsPiece& piece) const { return segments_[piece.segment].passes; }

 private:
  // What becomes of a part of a datagram. Units that begin in it are segments behind these.
  enum Part : uint8_t {
    kAlways,     // not video: one fate for all of it
    kContinued,  // follows of a unit that passed: passes
    kRefused,    // follows of a unit that did not
    kLoose,      // video of no unit, and padding: passes while there is room
    kParts,
  };

  struct Segment {
    uint32_t bytes = 0;
    bool audio = false;
    bool passes = true;
    uint16_t pid = 0;  // of a unit
    TsUnit unit;
  };

  struct Lane {
    uint16_t pid = ts_pid::STUFFING;
    uint8_t part = kLoose;    // of the unit in progress; its segment, until that is decided
    bool waits = false;       // a reference is gone: nothing decodes before random access
    bool leads = false;       // behind a gap: what is shown before `resume_pts` refers into it
    uint64_t resume_pts = 0;
    uint32_t unit_bytes = 0;  // of the unit in progress that passed
  };

  uint8_t segment_of(const TsPiece& piece, const TsUnit& unit);
  bool decide_unit(Segment& segment, Lane& lane, uint8_t packets, double now);
  bool is_undecodable(const Segment& segment, Lane& lane) const;
  void follow_up(Lane& lane, const TsUnit& unit, bool passed);
  void close_datagram();

  const uint32_t slot_;
  double* const row_;
  Accounting& accounting_;
  TsLanes<Lane> lanes_;
  std::array<Segment, kParts + kTsPiecesMax> segments_;
  size_t segment_count_ = kParts;
  bool holding_ = false;  // some lane refuses, or waits
};

}  // namespace headgate

#endif  // HEADGATE_TS_FILTER_H_
