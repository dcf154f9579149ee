// What a committed delivery counts as, whichever way it came: mode switches and anomalies are
// counted by the worker whose transaction made or found them.
#pragma once

#include <map>
#include <string>

#include "ingest/outcome.h"
#include "ops/metrics.h"

namespace auren::app {

// `device_type` becomes a label: of a closed list.
void CountOutcome(ops::Metrics* metrics, const std::string& device_type,
                  const ingest::Outcome& outcome);

// Anomalies by type, of ingest_batch's `anomalies`; empty for anything else.
std::map<std::string, double> CountAnomalies(const std::string& json);

}  // namespace auren::app
