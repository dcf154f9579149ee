#include "events/last_seen.h"

#include "events/store.h"

namespace auren::events {
namespace {

constexpr int kPlaces = 4096;  // a power of two; a stream has one, which others may take

struct Seen {
  uint64 stream;  // a hash of the id
  int64 version;
} places[kPlaces];

}  // namespace

int64 LastSeen(const text* stream_id) {
  const uint64 stream = HashOf(stream_id);
  const Seen& seen = places[stream % kPlaces];
  return seen.stream == stream ? seen.version : 0;
}

void NoteSeen(const text* stream_id, int64 version) {
  const uint64 stream = HashOf(stream_id);
  places[stream % kPlaces] = {stream, version};
}

}  // namespace auren::events
