// Is a reading usable? Ranges decide: outside the hard range it is refused, outside the soft range
// it is kept and flagged. The quality of a reading or a delivery is 1, times 0.8 for each anomaly.
#pragma once

#include <cstdint>

namespace auren::core {

// NaN stands for "no limit".
struct Range {
  double hard_min, hard_max, soft_min, soft_max;
};

enum class RangeVerdict : std::uint8_t {
  kInside,
  kSoftLow,
  kSoftHigh,
  kHardLow,
  kHardHigh,
  kNotFinite
};

RangeVerdict CheckRange(const Range& range, double value) noexcept;

// 0.8 to the power of the number of anomalies.
double QualityScore(int anomalies) noexcept;

}  // namespace auren::core
