// Units of measure: the words vendors use, their UCUM names, and what one is in another.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace auren::devices {

// "count/min", "bpm" -> "/min"; "degC" -> "Cel"; "mmHg" -> "mm[Hg]". A word that has no other name
// comes back as it is.
std::string CanonicalUnit(std::string_view unit);

// `value` of unit `from` in unit `to`, rounded to 12 significant digits so that a conversion adds
// none of its own. Both may be aliases. Nothing when they do not measure the same thing.
//   fraction -> %, degF and K -> Cel, kJ -> kcal, mi, km, ft and yd -> m, lb, st and g -> kg,
//   hr and min -> s, ms <-> s, Hz -> /min, mmol/L (of glucose) -> mg/dL, m/s -> km/h, ...
std::optional<double> Convert(double value, std::string_view from, std::string_view to);

// How to read a number of a metric that came without a usable unit.
enum class Infer {
  kNothing,      // it is in the metric's unit
  kTemperature,  // over 45 up to 115: degF; over 273 below 320: K; else Cel
  kFraction      // over 0 up to 1: a fraction of 1, for 0 to 100 %
};

// The unit that a number without one is in, by its magnitude.
std::string_view InferUnit(Infer rule, double value);

}  // namespace auren::devices
