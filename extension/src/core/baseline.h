// A person's baseline for one metric of one device, from daily values.
//
// Shapes and units: `values` are daily values in the metric's own unit, oldest first, at most one
// per local day, today excluded; the long window is the last 60 of them, the short one the last 7.
// With Scale::kLog all statistics are taken on natural logarithms (the accepted way for HRV) and
// `mean`, `sd`, `median`, `mad` are on that scale. The standard deviation is the sample's (n - 1);
// `mad` is the plain median absolute deviation, and robust_z divides by 1.4826 of it, which makes
// it comparable to z. Sources: Plews 2014 doi:10.1123/ijspp.2013-0455; hrv4training.com, "The
// importance of normal values" (60-day reference, smallest worthwhile change of half a standard
// deviation).
#pragma once

#include "core/status.h"

namespace auren::core {

inline constexpr int kLongWindowDays = 60;
inline constexpr int kShortWindowDays = 7;

enum class Scale : unsigned char { kLinear, kLog };

struct Baseline {
  Scale scale = Scale::kLinear;
  int days = 0;        // values in the long window
  double mean = 0;     // long window
  double sd = 0;       // long window; 0 when days < 2
  double median = 0;   // long window
  double mad = 0;      // long window
  int short_days = 0;  // values in the short window
  double short_mean = 0;
  double ewma = 0;  // alpha = 2/(7+1), started at the first value given

  // The reference in the metric's unit: exp(mean) on the log scale, else mean.
  double Reference() const noexcept;
  double ShortReference() const noexcept;

  // The edge of a band: the reference moved by that many standard deviations, in the metric's unit.
  // At(-0.5) is the lower edge of the smallest worthwhile change.
  double At(double deviations) const noexcept;
};

// How a value stands against a baseline. z and robust_z are 0 when the spread is 0, and for a value
// that is not positive against a baseline on the log scale.
struct Deviation {
  double z = 0;
  double robust_z = 0;
  double drop = 0;          // reference - value, in the metric's unit
  double drop_percent = 0;  // 100 * drop / reference
  double short_drop = 0;    // the same against the short window
  double short_drop_percent = 0;
};

// `count` 0 gives an empty baseline. kInvalid when a value is not finite, or not positive on the
// log scale.
Status ComputeBaseline(const double* values, int count, Scale scale, Baseline* baseline) noexcept;

// All zero when the baseline holds no day.
Deviation Deviate(const Baseline& baseline, double value) noexcept;

}  // namespace auren::core
