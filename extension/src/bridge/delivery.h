// A delivery as bridge.ingest_batch gets it: its envelope checked, its readings not yet looked at.
#pragma once

#include "postgres/backend.h"

namespace auren::bridge {

// Why a delivery is refused as a whole. `code` is one of the closed list of problem codes.
struct Problem {
  const char* code;    // nullptr: there is none
  const char* detail;  // a sentence for people
};

struct Delivery {
  Problem problem;  // with a code, nothing below is set
  const Jsonb* document;
  std::string_view source;
  std::string_view delivery_id;
  text* user_id;
  text* stream_id;  // user:<user_id>
  pg_uuid_t event_id;
  TimestampTz received_at;  // never later than now
  const JsonbContainer* readings;
  int reading_count;
};

// Reads the envelope. `document` nullptr: SQL NULL. Never raises for what is in the document.
void ReadDelivery(const Jsonb* document, TimestampTz now, Delivery* delivery);

// The data of the delivery's event: all as sent, but for what belongs to its metadata, and the
// refused readings with their reasons (`refused`: a JSON array, or nullptr when there are none).
Jsonb* EventData(const Delivery& delivery, const Jsonb* refused);

// The event's metadata: when it was received, by which trace and key, how good it is, and by which
// version of the configuration it was judged.
Jsonb* EventMetadata(const Delivery& delivery, double quality, int64 config_version);

}  // namespace auren::bridge
