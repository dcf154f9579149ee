// What may be appended: the rules for names, data and sizes. Readers do not check them: a stream
// that cannot exist is an empty one.
//
//   stream id    category:id, at most 255 bytes; category [a-z][a-z0-9_]*, the id after the first
//   colon
//                is not empty and holds no control character
//   event type   [a-z][a-z0-9]*(_[a-z0-9]+)*, at most 63 bytes
//   event data   a JSON object, at most 16 MiB as stored
//   metadata     a JSON object or NULL, at most 16 MiB as stored
//
// Each check raises 22004 for NULL, 22023 with a hint that shows a right one, or 54000 for the
// size.
#pragma once

#include "postgres/backend.h"

namespace auren::events {

inline constexpr size_t kMaxStreamId = 255;               // bytes
inline constexpr size_t kMaxEventType = 63;               // bytes
inline constexpr size_t kMaxDocument = size_t{16} << 20;  // bytes of jsonb

void CheckStreamId(const text* stream_id);
void CheckEventType(const text* event_type);
void CheckEventData(const Jsonb* event_data);
void CheckMetadata(const Jsonb* metadata);

}  // namespace auren::events
