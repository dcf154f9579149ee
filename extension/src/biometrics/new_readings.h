// New readings, straight into the heap: the common case, for which an INSERT with ON CONFLICT does
// several times the work.
#pragma once

#include "analytics/touched.h"
#include "biometrics/store.h"

namespace auren::biometrics {

// The quality of one reading.
float4 QualityOf(const Reading& reading);

// Inserts the readings that are not stored yet and marks their days stale. A reading that is stored
// already is left for a statement, and told to `known`. What is inserted is added to `touched`.
// False when the tables are not as we made them: then nothing was done. REQUIRES: as StoreReadings.
bool InsertNew(const Brought* deliveries, int count,
               void (*known)(const Brought& from, const Reading& reading, void* argument),
               void* argument, analytics::TouchedGroups* touched);

}  // namespace auren::biometrics
