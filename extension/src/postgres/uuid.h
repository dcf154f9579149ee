// UUIDs: version 7 for new events, version 5 for what must come out the same everywhere.
#pragma once

#include <string_view>

#include "postgres/backend.h"

namespace auren::pg {

// A new UUIDv7 (RFC 9562): milliseconds since 1970, then random bits.
pg_uuid_t NewUuidV7();

// UUIDv5 in AUREN's namespace 334c9f40-9714-586f-adfd-1aa731602170 over source + "/" + delivery_id.
// Known answer: healthkit/d-1 gives 42a6b6de-29f1-528e-86c4-cc9509bfb5a3.
pg_uuid_t DeliveryEventId(std::string_view source, std::string_view delivery_id);

}  // namespace auren::pg
