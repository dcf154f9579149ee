// The configuration as JSON, in the shape of neuros.configure:
//
//   {"thresholds": {"hrv_drop_ms": 25, ...}, "baselines": {"hrv_default": 60, ...},
//    "modes": [{"name": "reflex", "priority": 400, "behavior": "...", "rules": [...]}, ...]}
//
// What is absent keeps its built-in default. The core knows the keys and their ranges.
#pragma once

#include "core/config.h"
#include "neuros/rules_json.h"
#include "postgres/backend.h"

namespace auren::neuros {

// Reads a configuration. 22023 names the key and says what is allowed; a metric that is not one of
// `known` is a mistake unless that is nullptr.
void ReadConfig(const Jsonb* json, core::Config* config, const KnownMetrics* known = nullptr);

// Writes a configuration with all its keys.
Jsonb* WriteConfig(const core::Config& config);

}  // namespace auren::neuros
