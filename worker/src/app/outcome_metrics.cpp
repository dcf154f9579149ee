#include "app/outcome_metrics.h"

#include <nlohmann/json.hpp>

namespace auren::app {

void CountOutcome(ops::Metrics* metrics, const std::string& device_type,
                  const ingest::Outcome& outcome) {
  if (outcome.status != "applied") return;
  const double total = outcome.readings_accepted + outcome.readings_rejected;
  if (total > 0) metrics->Quality(device_type, outcome.readings_accepted / total);
  if (!outcome.to_mode.empty()) {
    metrics->ModeSwitched(outcome.from_mode, outcome.to_mode, outcome.trigger);
  }
  for (const auto& [type, count] : CountAnomalies(outcome.anomalies)) {
    metrics->Anomalies(device_type, type, count);
  }
}

std::map<std::string, double> CountAnomalies(const std::string& json) {
  std::map<std::string, double> counts;
  if (json.empty()) return counts;
  const auto list = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return counts;
  for (const auto& anomaly : list) {
    if (!anomaly.is_object() || !anomaly.contains("type") || !anomaly["type"].is_string()) continue;
    const auto count = anomaly.find("count");
    counts[anomaly["type"].get<std::string>()] +=
        count != anomaly.end() && count->is_number() ? count->get<double>() : 1;
  }
  return counts;
}

}  // namespace auren::app
