// The catalogue as ingest sees it: biometrics.metric_types and biometrics.unit_conversions, read
// once per call.
#pragma once

#include "core/quality.h"
#include "postgres/backend.h"

namespace auren::biometrics {

enum class BaselineKind : uint8 { kNone, kLinear, kLog };

struct MetricType {
  std::string_view name;
  std::string_view unit;
  core::Range range;      // of a sample
  core::Range sum_range;  // of a sum: statistic sum, daily or session_sum
  BaselineKind baseline;
  bool is_state;  // its values are words
  std::string_view* states;
  int state_count;
};

// A reading in `from` of a metric kept in `to` is taken as value * factor + shift.
struct UnitConversion {
  std::string_view from;
  std::string_view to;
  double factor;
  double shift;
};

struct Catalogue {
  MetricType* metrics;  // in the order of their bytes
  int metric_count;
  UnitConversion* units;
  int unit_count;
};

// REQUIRES: within an SPI session; the catalogue lives as long as that.
Catalogue LoadCatalogue();

// nullptr for a metric that is not in the catalogue.
const MetricType* FindMetric(const Catalogue& catalogue, std::string_view name);

// Brings a value into the metric's unit; false when the unit is not one it may come in.
bool ConvertUnit(const Catalogue& catalogue, const MetricType& metric, std::string_view unit,
                 double* value);

}  // namespace auren::biometrics
