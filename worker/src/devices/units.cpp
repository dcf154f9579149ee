#include "devices/units.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace auren::devices {
namespace {

struct Alias {
  std::string_view word, unit;
};

constexpr Alias kAliases[] = {
    {"count/min", "/min"},
    {"bpm", "/min"},
    {"BPM", "/min"},
    {"beats/min", "/min"},
    {"beats per minute", "/min"},
    {"brpm", "/min"},
    {"breaths/min", "/min"},
    {"count/minute", "/min"},
    {"count/s", "Hz"},
    {"degC", "Cel"},
    {"\xc2\xb0"
     "C",
     "Cel"},
    {"C", "Cel"},
    {"celsius", "Cel"},
    {"\xc2\xb0"
     "F",
     "degF"},
    {"[degF]", "degF"},
    {"F", "degF"},
    {"fahrenheit", "degF"},
    {"kelvin", "K"},
    {"percent", "%"},
    {"pct", "%"},
    {"milliseconds", "ms"},
    {"milli", "ms"},
    {"seconds", "s"},
    {"sec", "s"},
    {"minutes", "min"},
    {"hr", "h"},
    {"hours", "h"},
    {"Cal", "kcal"},
    {"calories", "kcal"},
    {"mL/min/kg", "mL/kg/min"},
    {"mL/min\xc2\xb7kg", "mL/kg/min"},
    {"mL/kg\xc2\xb7min", "mL/kg/min"},
    {"mL/(kg\xc2\xb7min)", "mL/kg/min"},
    {"ml/(kg\xc2\xb7min)", "mL/kg/min"},
    {"ml_kg_min", "mL/kg/min"},
    {"mmHg", "mm[Hg]"},
    {"lbs", "lb"},
    {"steps", "{steps}"},
    {"flights", "{flights}"},
};

// A unit as a multiple of its dimension's base, after an offset: base = (value + offset) * up /
// down. Two factors, so that 5/9 and 1/4.184 are exact until the last step.
struct Unit {
  std::string_view name, dimension;
  double offset, up, down;
};

constexpr Unit kUnits[] = {
    {"Cel", "temperature", 0, 1, 1},
    {"degF", "temperature", -32, 5, 9},
    {"K", "temperature", -273.15, 1, 1},
    {"kcal", "energy", 0, 1, 1},
    {"cal", "energy", 0, 1, 1000},
    {"kJ", "energy", 0, 1, 4.184},
    {"J", "energy", 0, 1, 4184},
    {"m", "length", 0, 1, 1},
    {"km", "length", 0, 1000, 1},
    {"cm", "length", 0, 1, 100},
    {"mi", "length", 0, 1609.344, 1},
    {"ft", "length", 0, 0.3048, 1},
    {"yd", "length", 0, 0.9144, 1},
    {"kg", "mass", 0, 1, 1},
    {"g", "mass", 0, 1, 1000},
    {"lb", "mass", 0, 0.45359237, 1},
    {"st", "mass", 0, 6.35029318, 1},
    {"s", "time", 0, 1, 1},
    {"ms", "time", 0, 1, 1000},
    {"min", "time", 0, 60, 1},
    {"h", "time", 0, 3600, 1},
    {"%", "share", 0, 1, 1},
    {"fraction", "share", 0, 100, 1},
    {"mg/dL", "glucose", 0, 1, 1},
    {"mmol/L", "glucose", 0, 18.0156, 1},
    {"/min", "rate", 0, 1, 1},
    {"Hz", "rate", 0, 60, 1},
    {"km/h", "speed", 0, 1, 1},
    {"m/s", "speed", 0, 3.6, 1},
    {"mm[Hg]", "pressure", 0, 1, 1},
    {"kPa", "pressure", 0, 1, 0.133322387415},
};

const Unit* Find(std::string_view name) {
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [&](const Unit& candidate) { return candidate.name == name; });
  return unit == std::end(kUnits) ? nullptr : unit;
}

// A bare count: {steps}, {score}, 1.
bool IsCount(std::string_view unit) {
  return unit == "count" || unit == "1" || (unit.starts_with("{") && unit.ends_with("}"));
}

double Round12(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.12g", value);
  return std::strtod(text, nullptr);
}

}  // namespace

std::string CanonicalUnit(std::string_view unit) {
  for (const Alias& alias : kAliases) {
    if (alias.word == unit) return std::string(alias.unit);
  }
  return std::string(unit);
}

std::optional<double> Convert(double value, std::string_view from, std::string_view to) {
  const std::string source = CanonicalUnit(from), target = CanonicalUnit(to);
  if (source == target) return value;
  if (source == "count" && IsCount(target)) return value;
  const Unit *a = Find(source), *b = Find(target);
  if (a == nullptr || b == nullptr || a->dimension != b->dimension) return std::nullopt;
  const double base = (value + a->offset) * a->up / a->down;
  return Round12(base * b->down / b->up - b->offset);
}

std::string_view InferUnit(Infer rule, double value) {
  if (rule == Infer::kTemperature) {
    if (value > 45 && value <= 115) return "degF";
    if (value > 273 && value < 320) return "K";
    return "Cel";
  }
  if (rule == Infer::kFraction) return value > 0 && value <= 1 ? "fraction" : "%";
  return "";
}

}  // namespace auren::devices
