#include "kafka/offsets.h"

#include "ops/log.h"
#include "postgres/sqlstate.h"

namespace auren::kafka {
namespace {

using postgres::Error;
using postgres::Param;
using postgres::Result;

constexpr char kTakeOver[] =
    "INSERT INTO bridge.kafka_offsets AS o"
    " (cluster_id, topic, partition, next_offset, owner_epoch, owner, owner_pid)"
    " SELECT $1, $2, t.partition, t.low, 1, $5, pg_backend_pid()"
    " FROM unnest($3::int[], $4::bigint[]) AS t(partition, low) ORDER BY t.partition"
    " ON CONFLICT (cluster_id, topic, partition) DO UPDATE SET"
    " owner_epoch = o.owner_epoch + 1, owner = excluded.owner, owner_pid = excluded.owner_pid,"
    " stopped_reason = NULL, stopped_detail = NULL, updated_at = clock_timestamp()"
    " RETURNING partition, next_offset, owner_epoch, encode(last_digest, 'hex'), stopped_reason,"
    " coalesce(anchor_offset, 0), encode(anchor_digest, 'hex')";

// A backend that is not the worker's any more, by number, is not meant.
constexpr char kEndOwners[] =
    "SELECT a.pid, pg_terminate_backend(a.pid) FROM bridge.kafka_offsets o"
    " JOIN pg_stat_activity a ON a.pid = o.owner_pid AND a.datname = current_database()"
    " AND a.application_name LIKE 'auren-worker/consumer%' AND a.pid <> pg_backend_pid()"
    " WHERE o.cluster_id = $1 AND o.topic = $2 AND o.partition = ANY($3::int[])";

constexpr char kRead[] =
    "SELECT partition, next_offset, owner_epoch, encode(last_digest, 'hex'), stopped_reason,"
    " coalesce(anchor_offset, 0), encode(anchor_digest, 'hex')"
    " FROM bridge.kafka_offsets"
    " WHERE cluster_id = $1 AND topic = $2 AND partition = ANY($3::int[])";

constexpr char kAdvance[] =
    "UPDATE bridge.kafka_offsets o SET next_offset = b.next, last_digest = decode(b.digest, 'hex'),"
    " owner_pid = pg_backend_pid(), updated_at = clock_timestamp()"
    " FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])"
    " AS b(partition, epoch, before, next, digest)"
    " WHERE o.cluster_id = $1 AND o.topic = $2 AND o.partition = b.partition"
    " AND o.owner_epoch = b.epoch AND o.next_offset = b.before"
    " RETURNING o.partition";

constexpr char kKeep[] =
    "UPDATE bridge.kafka_offsets o"
    " SET anchor_offset = b.anchor_offset, anchor_digest = decode(b.digest, 'hex')"
    " FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::text[])"
    " AS b(partition, epoch, anchor_offset, digest)"
    " WHERE o.cluster_id = $1 AND o.topic = $2 AND o.partition = b.partition"
    " AND o.owner_epoch = b.epoch";

constexpr char kStop[] =
    "UPDATE bridge.kafka_offsets SET stopped_reason = $5, stopped_detail = $6,"
    " updated_at = clock_timestamp()"
    " WHERE cluster_id = $1 AND topic = $2 AND partition = $3::text::int"
    " AND owner_epoch = $4::text::bigint";

}  // namespace

std::optional<Error> Offsets::ReadRows(const Result& result, StoredRows* rows) {
  if (!result.ok()) return result.error();
  rows->clear();
  for (int row = 0; row < result.rows(); ++row) {
    (*rows)[result.Number<std::int32_t>(row, 0)] = {
        result.Number<std::int64_t>(row, 1),
        result.Number<std::int64_t>(row, 2),
        std::string(result.Get(row, 3)),
        std::string(result.Get(row, 4)),
        {result.Number<std::int64_t>(row, 5), std::string(result.Get(row, 6))}};
  }
  return std::nullopt;
}

std::optional<Error> Offsets::EndFormerOwners(const Param& partitions) {
  const Result result =
      connection_->Execute(kEndOwners, {Param::Text(cluster_id_), Param::Text(topic_), partitions});
  if (!result.ok()) return result.error();
  for (int row = 0; row < result.rows(); ++row) {
    ops::log::Warn("consumer", "ended a former owner whose transaction held a partition",
                   {{"topic", topic_}, {"backend", result.Get(row, 0)}});
  }
  return std::nullopt;
}

std::optional<Error> Offsets::TakeOver(const std::map<std::int32_t, std::int64_t>& lows,
                                       StoredRows* rows) {
  std::vector<std::int32_t> partitions;
  std::vector<std::int64_t> offsets;
  for (const auto& [partition, low] : lows) {
    partitions.push_back(partition);
    offsets.push_back(low);
  }
  const Param which = Param::Ints(partitions);
  for (int attempt = 1;; ++attempt) {
    // The short patience is for this statement alone.
    auto error = connection_->Send({{"BEGIN", {}},
                                    {"SET LOCAL lock_timeout = '2s'", {}},
                                    {kTakeOver,
                                     {Param::Text(cluster_id_), Param::Text(topic_), which,
                                      Param::Bigints(offsets), Param::Text(owner_)}},
                                    {"COMMIT", {}}});
    if (!error) {
      const std::vector<Result> results = connection_->Collect();
      error = ReadRows(results[2], rows);
      if (!error && !results[3].ok()) error = results[3].error();
    }
    if (!error) return std::nullopt;
    if (connection_->connected()) connection_->Execute("ROLLBACK");
    if (postgres::Classify(error->sqlstate) != postgres::Action::kRetry || attempt == 10) {
      return error;
    }
    if (auto failed = EndFormerOwners(which)) return failed;
  }
}

std::optional<Error> Offsets::Read(const std::vector<std::int32_t>& partitions, StoredRows* rows) {
  return ReadRows(connection_->Execute(kRead, {Param::Text(cluster_id_), Param::Text(topic_),
                                               Param::Ints(partitions)}),
                  rows);
}

postgres::Statement Offsets::Advance(const std::map<std::int32_t, Reach>& reaches,
                                     const Positions& positions) const {
  std::vector<std::int32_t> partitions;
  std::vector<std::int64_t> epochs, befores, nexts;
  std::vector<std::optional<std::string>> digests;
  for (const auto& [partition, reach] : reaches) {
    partitions.push_back(partition);
    epochs.push_back(positions.at(partition).epoch);
    befores.push_back(positions.at(partition).next_offset);
    nexts.push_back(reach.next);
    digests.emplace_back(reach.digest);
  }
  return {kAdvance,
          {Param::Text(cluster_id_), Param::Text(topic_), Param::Ints(partitions),
           Param::Bigints(epochs), Param::Bigints(befores), Param::Bigints(nexts),
           Param::Texts(digests)}};
}

std::optional<Error> Offsets::Keep(const std::map<std::int32_t, Anchor>& anchors,
                                   const Positions& positions) {
  std::vector<std::int32_t> partitions;
  std::vector<std::int64_t> epochs, offsets;
  std::vector<std::optional<std::string>> digests;
  for (const auto& [partition, anchor] : anchors) {
    const auto position = positions.find(partition);
    if (position == positions.end()) continue;
    partitions.push_back(partition);
    epochs.push_back(position->second.epoch);
    offsets.push_back(anchor.offset);
    digests.emplace_back(anchor.digest);
  }
  const Result result = connection_->Execute(
      kKeep, {Param::Text(cluster_id_), Param::Text(topic_), Param::Ints(partitions),
              Param::Bigints(epochs), Param::Bigints(offsets), Param::Texts(digests)});
  if (!result.ok()) return result.error();
  return std::nullopt;
}

std::optional<Error> Offsets::Stop(std::int32_t partition, std::int64_t epoch,
                                   const std::string& reason, const std::string& detail) {
  const Result result = connection_->Execute(
      kStop, {Param::Text(cluster_id_), Param::Text(topic_), Param::Text(std::to_string(partition)),
              Param::Text(std::to_string(epoch)), Param::Text(reason), Param::Text(detail)});
  if (!result.ok()) return result.error();
  return std::nullopt;
}

}  // namespace auren::kafka
