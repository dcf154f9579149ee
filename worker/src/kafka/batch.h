// Records on their way into one transaction, and how far they bring each partition.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kafka/codec.h"
#include "kafka/fuse.h"
#include "kafka/record.h"

namespace auren::kafka {

// A record, and what it says. Order within a partition is the log's.
struct Item {
  Record record;
  Decoded decoded;
};
using Batch = std::vector<Item>;

// What is owned of a partition.
struct Position {
  std::int64_t next_offset = 0;  // the first not yet taken in, as committed
  std::int64_t polled = 0;       // the first not yet polled
  std::int64_t epoch = 0;        // the fencing token: higher than every former owner's
  Fuse fuse;
  std::int64_t fuse_from = 0;  // records before this offset do not count: an operator let them pass
};
using Positions = std::map<std::int32_t, Position>;

// How far a batch brings a partition: to `next`, not included, and the digest of its last record.
struct Reach {
  std::int64_t next = 0;
  std::string digest;
};
std::map<std::int32_t, Reach> ReachOf(const Batch& batch);

// 32 hex digits that tell a record from another at the same offset: the first half of SHA-256 over
// timestamp, key and value.
std::string DigestOf(const Record& record);

}  // namespace auren::kafka
