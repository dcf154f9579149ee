// One row of ingest_batch's result.
#pragma once

#include "bridge/arrival.h"
#include "events/append.h"

namespace auren::bridge {

struct Answer {
  const char* status;
  bool has_event;
  pg_uuid_t event_id;
  int64 position;
  int accepted;
  int rejected;
  Jsonb* problem;    // nullptr: none
  Jsonb* anomalies;  // nullptr: []
  Judgement judgement;
};

Answer Rejected(const Problem& problem);

// The known event's answer; other readings under the same id are not stored, but told.
Answer Duplicate(const Delivery& delivery, const events::StoredEvent& stored);

// REQUIRES: the arrival has been stored and judged.
Answer Applied(const Arrival& arrival);

// The refused readings with their reasons, at most `most`; nullptr when there are none.
Jsonb* Refused(const biometrics::Reading* readings, int count, int most);

// A copy whose parts lie in the memory context that was current before SpiBegin.
Answer CopyOut(const Answer& answer);

// Appends it to the result; `index` from 1.
void PutRow(ReturnSetInfo* result, int index, const Answer& answer);

}  // namespace auren::bridge
