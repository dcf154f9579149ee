// bridge.kafka_offsets: how far each partition has been taken in, and who may go on.
//
// The cursor lives where the effect lives: a batch's transaction moves the row, and only when the
// row still carries the owner's epoch. Taking over raises the epoch, and waits for the row's lock:
// a former owner's transaction either commits first, and its offset is read here, or it is too
// late.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kafka/batch.h"
#include "postgres/connection.h"

namespace auren::kafka {

// A record that was read: where it lay, and DigestOf it (empty: none).
struct Anchor {
  std::int64_t offset = 0;
  std::string digest;

  bool operator==(const Anchor&) const = default;
};

// One row.
struct Stored {
  std::int64_t next_offset = 0, epoch = 0;
  std::string digest;          // DigestOf the record before next_offset; empty: none known
  std::string stopped_reason;  // empty: not stopped
  Anchor anchor;
};
using StoredRows = std::map<std::int32_t, Stored>;

class Offsets {
 public:
  // Borrows the connection.
  Offsets(postgres::Connection* connection, std::string topic, std::string owner)
      : connection_(connection), topic_(std::move(topic)), owner_(std::move(owner)) {}

  // Known once the broker has said it; before any other call.
  void SetCluster(std::string cluster_id) { cluster_id_ = std::move(cluster_id); }

  // Makes the partitions ours. `lows`: where to begin when there is no row yet. A former owner
  // whose open transaction holds a row for two seconds loses its connection. Clears what stopped
  // them.
  std::optional<postgres::Error> TakeOver(const std::map<std::int32_t, std::int64_t>& lows,
                                          StoredRows* rows);

  // The rows as committed: what became of a transaction whose COMMIT was never answered.
  std::optional<postgres::Error> Read(const std::vector<std::int32_t>& partitions,
                                      StoredRows* rows);

  // Moves the rows of our epochs from where we left them; returns the partitions it moved. One that
  // is missing is another's now, or the database has gone back: to a backup, or to a standby that
  // had not got the last commits. Offsets within the batch need not be contiguous: compaction and
  // transactions leave gaps.
  postgres::Statement Advance(const std::map<std::int32_t, Reach>& reaches,
                              const Positions& positions) const;

  // Notes up to which record the log is known to be the one that was read, where it is still ours.
  std::optional<postgres::Error> Keep(const std::map<std::int32_t, Anchor>& anchors,
                                      const Positions& positions);

  // Notes why we stopped, if it is still ours.
  std::optional<postgres::Error> Stop(std::int32_t partition, std::int64_t epoch,
                                      const std::string& reason, const std::string& detail);

 private:
  std::optional<postgres::Error> EndFormerOwners(const postgres::Param& partitions);
  static std::optional<postgres::Error> ReadRows(const postgres::Result& result, StoredRows* rows);

  postgres::Connection* connection_;
  const std::string topic_, owner_;
  std::string cluster_id_;
};

}  // namespace auren::kafka
