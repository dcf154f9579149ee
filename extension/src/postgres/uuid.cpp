#include "postgres/uuid.h"

extern "C" {
#include "common/cryptohash.h"
#include "common/sha1.h"
}

namespace auren::pg {
namespace {

constexpr unsigned char kNamespace[UUID_LEN] = {0x33, 0x4c, 0x9f, 0x40, 0x97, 0x14, 0x58, 0x6f,
                                                0xad, 0xfd, 0x1a, 0xa7, 0x31, 0x60, 0x21, 0x70};

void SetVersion(pg_uuid_t* uuid, unsigned version) {
  uuid->data[6] = static_cast<unsigned char>((uuid->data[6] & 0x0f) | (version << 4));
  uuid->data[8] = static_cast<unsigned char>((uuid->data[8] & 0x3f) | 0x80);
}

// Random bytes, drawn for many ids at once: asking the library costs more than its bytes.
constexpr size_t kRandomBytes = UUID_LEN - 6;  // of an id
struct {
  unsigned char bytes[64 * kRandomBytes];
  size_t left = 0;
} pool;

const unsigned char* RandomBytes() {
  if (pool.left == 0) {
    if (!pg_strong_random(pool.bytes, sizeof(pool.bytes))) {
      ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
    }
    pool.left = lengthof(pool.bytes) / kRandomBytes;
  }
  return pool.bytes + --pool.left * kRandomBytes;
}

}  // namespace

pg_uuid_t NewUuidV7() {
  constexpr int64 kEpochShiftMs =
      static_cast<int64>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * 1000;
  int64 ms = GetCurrentTimestamp() / 1000 + kEpochShiftMs;
  pg_uuid_t uuid;
  for (int i = 5; i >= 0; i--, ms >>= 8) uuid.data[i] = static_cast<unsigned char>(ms & 0xff);
  memcpy(uuid.data + 6, RandomBytes(), kRandomBytes);
  SetVersion(&uuid, 7);
  return uuid;
}

pg_uuid_t DeliveryEventId(std::string_view source, std::string_view delivery_id) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const uint8*>(text.data());
  };
  const uint8 slash = '/';
  uint8 digest[SHA1_DIGEST_LENGTH];
  pg_cryptohash_ctx* hash = pg_cryptohash_create(PG_SHA1);
  if (pg_cryptohash_init(hash) < 0 || pg_cryptohash_update(hash, kNamespace, UUID_LEN) < 0 ||
      pg_cryptohash_update(hash, bytes(source), source.size()) < 0 ||
      pg_cryptohash_update(hash, &slash, 1) < 0 ||
      pg_cryptohash_update(hash, bytes(delivery_id), delivery_id.size()) < 0 ||
      pg_cryptohash_final(hash, digest, sizeof digest) < 0) {
    elog(ERROR, "could not compute SHA-1: %s", pg_cryptohash_error(hash));
  }
  pg_cryptohash_free(hash);
  pg_uuid_t uuid;
  memcpy(uuid.data, digest, UUID_LEN);
  SetVersion(&uuid, 5);
  return uuid;
}

}  // namespace auren::pg
