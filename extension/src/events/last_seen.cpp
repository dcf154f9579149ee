#include "events/last_seen.h"

#include "postgres/values.h"

extern "C" {
#include "common/hashfn.h"
}

namespace auren::events {
namespace {

constexpr int kPlaces = 4096;  // a power of two; a stream has one, which others may take

struct Seen {
  uint64 stream;  // a hash of the id
  int64 version;
} places[kPlaces];

uint64 Hash(const text* stream_id) {
  const std::string_view id = pg::View(stream_id);
  return hash_bytes_extended(reinterpret_cast<const unsigned char*>(id.data()),
                             static_cast<int>(id.size()), 0);
}

}  // namespace

int64 LastSeen(const text* stream_id) {
  const uint64 stream = Hash(stream_id);
  const Seen& seen = places[stream % kPlaces];
  return seen.stream == stream ? seen.version : 0;
}

void NoteSeen(const text* stream_id, int64 version) {
  const uint64 stream = Hash(stream_id);
  places[stream % kPlaces] = {stream, version};
}

}  // namespace auren::events
