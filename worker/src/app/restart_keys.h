// Small pure functions of serving: what a reload cannot change, and what the database counted.
#pragma once

#include <map>
#include <string>

#include "config/config.h"

namespace auren::app {

// The keys that are read at start only and differ, comma separated; empty: none.
std::string ChangedRestartKeys(const config::Config& started, const config::Config& now);

// anomalies of bridge.ingest_batch ([{"type","count",...}]) summed by type.
std::map<std::string, double> CountAnomalies(const std::string& json);

}  // namespace auren::app
