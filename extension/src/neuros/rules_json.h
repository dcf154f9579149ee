// The rules of a mode as JSON, in the shape of core/rules.h:
//
//   [{"name": "fever_watch", "weight": 0.5,
//     "when": [{"metric": "heart_rate", "above": 95, "context": ["rest", "sleep"]}]}]
#pragma once

#include "core/config.h"
#include "postgres/backend.h"
#include "postgres/values.h"

namespace auren::neuros {

// The metrics a condition may name. One that has gone from the catalogue since its version was made
// is no mistake of that version, so versions are read back with none given.
struct KnownMetrics {
  const char** names;
  int count;
};

// Adds the rules of a mode that is in `config`. 22023 names the place of a mistake behind `path`,
// as in "modes[0].rules[1].when[0].above", and says what is allowed.
void ReadRules(const JsonbValue& rules, const char* path, std::string_view mode,
               const KnownMetrics* known, core::Config* config);

// Adds the member "rules" of a mode that has any.
void WriteRules(const core::Config& config, int mode, pg::JsonbBuilder* json);

}  // namespace auren::neuros
