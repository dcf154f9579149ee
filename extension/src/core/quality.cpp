#include "core/quality.h"

#include <cmath>

namespace auren::core {

// A comparison with NaN is false, so a missing limit never trips.
RangeVerdict CheckRange(const Range& range, double value) noexcept {
  if (!std::isfinite(value)) return RangeVerdict::kNotFinite;
  if (value < range.hard_min) return RangeVerdict::kHardLow;
  if (value > range.hard_max) return RangeVerdict::kHardHigh;
  if (value < range.soft_min) return RangeVerdict::kSoftLow;
  if (value > range.soft_max) return RangeVerdict::kSoftHigh;
  return RangeVerdict::kInside;
}

double QualityScore(int anomalies) noexcept {
  constexpr double kPerAnomaly = 0.8;
  return anomalies > 0 ? std::pow(kPerAnomaly, anomalies) : 1.0;
}

}  // namespace auren::core
