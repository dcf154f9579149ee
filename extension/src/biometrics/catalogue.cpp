#include "biometrics/catalogue.h"

#include <limits>

#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
}

namespace auren::biometrics {
namespace {

#define SELECT_METRICS_WITH(sum_columns)                                         \
  "SELECT metric_type, unit, hard_min, hard_max, soft_min, soft_max, baseline, " \
  "states, " sum_columns "  FROM biometrics.metric_types ORDER BY metric_type COLLATE \"C\""

pg::Statement select_metrics = {
    SELECT_METRICS_WITH("coalesce(sum_hard_max, hard_max), coalesce(sum_soft_max, soft_max)"),
    0,
    {}};
pg::Statement select_metrics_of_0_1_0 = {SELECT_METRICS_WITH("hard_max, soft_max"), 0, {}};

bool HasSumRanges() {
  const Oid table = get_relname_relid("metric_types", get_namespace_oid("biometrics", false));
  return get_attnum(table, "sum_hard_max") != InvalidAttrNumber;
}

pg::Statement select_units = {
    "SELECT from_unit, to_unit, factor, shift FROM biometrics.unit_conversions", 0, {}};

double LimitColumn(uint64 row, int column) {
  bool is_null;
  const Datum value = pg::Column(row, column, &is_null);
  return is_null ? std::numeric_limits<double>::quiet_NaN() : DatumGetFloat8(value);
}

std::string_view TextColumn(uint64 row, int column) {
  return pg::View(DatumGetTextPP(pg::Column(row, column)));
}

BaselineKind BaselineColumn(uint64 row, int column) {
  bool is_null;
  const Datum value = pg::Column(row, column, &is_null);
  if (is_null) return BaselineKind::kNone;
  return pg::View(DatumGetTextPP(value)) == "log" ? BaselineKind::kLog : BaselineKind::kLinear;
}

void ReadStates(uint64 row, int column, MetricType* metric) {
  bool is_null;
  const Datum value = pg::Column(row, column, &is_null);
  metric->is_state = !is_null;
  metric->states = nullptr;
  metric->state_count = 0;
  if (is_null) return;
  const pg::Elements words = pg::ElementsOf(DatumGetArrayTypeP(value), TEXTOID, "states");
  metric->states =
      static_cast<std::string_view*>(palloc(sizeof(std::string_view) * (words.count + 1)));
  for (int i = 0; i < words.count; i++) {
    if (!words.is_null[i]) {
      metric->states[metric->state_count++] = pg::View(DatumGetTextPP(words.values[i]));
    }
  }
}

}  // namespace

Catalogue LoadCatalogue() {
  Catalogue catalogue;

  catalogue.metric_count =
      static_cast<int>(pg::Execute(HasSumRanges() ? &select_metrics : &select_metrics_of_0_1_0));
  catalogue.metrics =
      static_cast<MetricType*>(palloc0(sizeof(MetricType) * (catalogue.metric_count + 1)));
  for (int i = 0; i < catalogue.metric_count; i++) {
    MetricType& metric = catalogue.metrics[i];
    metric.name = TextColumn(i, 1);
    metric.unit = TextColumn(i, 2);
    metric.range = {LimitColumn(i, 3), LimitColumn(i, 4), LimitColumn(i, 5), LimitColumn(i, 6)};
    metric.sum_range = metric.range;
    metric.sum_range.hard_max = LimitColumn(i, 9);
    metric.sum_range.soft_max = LimitColumn(i, 10);
    metric.baseline = BaselineColumn(i, 7);
    ReadStates(i, 8, &metric);
  }

  catalogue.unit_count = static_cast<int>(pg::Execute(&select_units));
  catalogue.units =
      static_cast<UnitConversion*>(palloc(sizeof(UnitConversion) * (catalogue.unit_count + 1)));
  for (int i = 0; i < catalogue.unit_count; i++) {
    catalogue.units[i] = {TextColumn(i, 1), TextColumn(i, 2), DatumGetFloat8(pg::Column(i, 3)),
                          DatumGetFloat8(pg::Column(i, 4))};
  }
  return catalogue;
}

const MetricType* FindMetric(const Catalogue& catalogue, std::string_view name) {
  int low = 0;
  int high = catalogue.metric_count;
  while (low < high) {
    const int middle = (low + high) / 2;
    const int order = catalogue.metrics[middle].name.compare(name);
    if (order == 0) return &catalogue.metrics[middle];
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return nullptr;
}

bool ConvertUnit(const Catalogue& catalogue, const MetricType& metric, std::string_view unit,
                 double* value) {
  if (unit.empty() || unit == metric.unit) return true;
  for (int i = 0; i < catalogue.unit_count; i++) {
    const UnitConversion& conversion = catalogue.units[i];
    if (conversion.from == unit && conversion.to == metric.unit) {
      *value = *value * conversion.factor + conversion.shift;
      return true;
    }
  }
  return false;
}

}  // namespace auren::biometrics
