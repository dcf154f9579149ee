#include "core/baseline.h"

#include <algorithm>
#include <cmath>

namespace auren::core {
namespace {

// What makes the median absolute deviation of normal values equal to their standard deviation.
constexpr double kMadScale = 1.4826;
constexpr double kEwmaAlpha = 2.0 / (kShortWindowDays + 1);

double ToScale(Scale scale, double value) noexcept {
  return scale == Scale::kLog ? std::log(value) : value;
}

double FromScale(Scale scale, double value) noexcept {
  return scale == Scale::kLog ? std::exp(value) : value;
}

double Mean(const double* values, int count) noexcept {
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += values[i];
  return sum / count;
}

// Below this part of the mean a deviation is what rounding leaves of equal values: no spread at
// all.
constexpr double kNoSpread = 1e-12;

// Two passes: the plain sum of squares loses digits for a narrow band far from zero.
double SampleDeviation(const double* values, int count, double mean) noexcept {
  if (count < 2) return 0;
  double squares = 0;
  for (int i = 0; i < count; ++i) squares += (values[i] - mean) * (values[i] - mean);
  const double deviation = std::sqrt(squares / (count - 1));
  return deviation <= kNoSpread * std::fabs(mean) ? 0 : deviation;
}

// Reorders `values`.
double Median(double* values, int count) noexcept {
  double* const middle = values + count / 2;
  std::nth_element(values, middle, values + count);
  return count % 2 == 1 ? *middle : (*std::max_element(values, middle) + *middle) / 2;
}

Status CheckValue(Scale scale, double value, int index) noexcept {
  if (!std::isfinite(value)) {
    return Status::Error(Code::kInvalid, "daily value %d of the baseline is not a finite number",
                         index + 1)
        .WithHint("Leave out days without a value.");
  }
  if (scale == Scale::kLog && value <= 0) {
    return Status::Error(Code::kInvalid,
                         "daily value %d of the baseline is %g, which has no logarithm", index + 1,
                         value)
        .WithHint("Values on the log scale must be positive.");
  }
  return Status::Ok();
}

double Percent(double part, double whole) noexcept { return whole == 0 ? 0 : 100 * part / whole; }

}  // namespace

double Baseline::Reference() const noexcept { return FromScale(scale, mean); }

double Baseline::ShortReference() const noexcept { return FromScale(scale, short_mean); }

double Baseline::At(double deviations) const noexcept {
  return FromScale(scale, mean + deviations * sd);
}

Status ComputeBaseline(const double* values, int count, Scale scale, Baseline* baseline) noexcept {
  *baseline = Baseline{};
  baseline->scale = scale;
  if (count <= 0) return Status::Ok();

  double window[kLongWindowDays];  // the last 60 values on the scale, oldest first
  const int days = std::min(count, kLongWindowDays);
  double ewma = 0;
  for (int i = 0; i < count; ++i) {
    if (Status status = CheckValue(scale, values[i], i); !status.ok()) return status;
    const double scaled = ToScale(scale, values[i]);
    ewma = i == 0 ? scaled : kEwmaAlpha * scaled + (1 - kEwmaAlpha) * ewma;
    if (i >= count - days) window[i - (count - days)] = scaled;
  }

  const int short_days = std::min(count, kShortWindowDays);
  baseline->days = days;
  baseline->mean = Mean(window, days);
  baseline->sd = SampleDeviation(window, days, baseline->mean);
  baseline->short_days = short_days;
  baseline->short_mean = Mean(window + days - short_days, short_days);
  baseline->ewma = ewma;

  // The order of days is no longer needed: the window becomes the values' distances from the
  // median.
  baseline->median = Median(window, days);
  for (int i = 0; i < days; ++i) window[i] = std::fabs(window[i] - baseline->median);
  baseline->mad = Median(window, days);
  return Status::Ok();
}

Deviation Deviate(const Baseline& baseline, double value) noexcept {
  Deviation deviation;
  if (baseline.days == 0) return deviation;

  const bool has_scaled = baseline.scale == Scale::kLinear || value > 0;
  if (has_scaled) {
    const double scaled = ToScale(baseline.scale, value);
    if (baseline.sd > 0) deviation.z = (scaled - baseline.mean) / baseline.sd;
    if (baseline.mad > 0)
      deviation.robust_z = (scaled - baseline.median) / (kMadScale * baseline.mad);
  }
  deviation.drop = baseline.Reference() - value;
  deviation.drop_percent = Percent(deviation.drop, baseline.Reference());
  deviation.short_drop = baseline.ShortReference() - value;
  deviation.short_drop_percent = Percent(deviation.short_drop, baseline.ShortReference());
  return deviation;
}

}  // namespace auren::core
