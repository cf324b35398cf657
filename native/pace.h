// Pace: a fixed rate that a connection is held to, whatever its configured limits. One GCRA with
// bounded debt, like a node of the slab, but private to its connection.
#ifndef HEADGATE_PACE_H_
#define HEADGATE_PACE_H_

#include <algorithm>

#include "rtmp_limits.h"

namespace headgate {

class Pace {
 public:
  /// `per_second` and `burst` in units of what is charged.
  Pace(double per_second, double burst)
      : interval_ms_(1000 / per_second), tolerance_ms_(burst * 1000 / per_second) {}

  /// Charges `units` at `now` (ms). Returns the excess in ms: not above 0 while conforming.
  double charge(double units, double now) {
    const double from = std::max(arrival_ms_, now);
    arrival_ms_ = std::min(from + units * interval_ms_, now + tolerance_ms_ + kPacingDebtMaxMs);
    return arrival_ms_ - tolerance_ms_ - now;
  }

 private:
  double interval_ms_;
  double tolerance_ms_;
  double arrival_ms_ = -kPacingDebtMaxMs;
};

}  // namespace headgate

#endif  // HEADGATE_PACE_H_
