// A factor as the events and neuros.explain tell it.
#pragma once

#include "core/engine.h"
#include "postgres/values.h"

namespace auren::neuros {

// Adds what the engine says of a factor to the object that has been begun: trigger, metric,
// indicator where it is one, value, baseline, threshold, z, contribution, fired, borderline,
// baseline_is_default. What there is none of is null.
void AddFactor(const core::Factor& factor, pg::JsonbBuilder* json);

}  // namespace auren::neuros
