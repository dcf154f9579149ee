// Consumer: which partitions are ours, where each begins, and which may not go on.
#include <algorithm>
#include <utility>

#include "kafka/consumer.h"
#include "ops/log.h"
#include "postgres/sqlstate.h"

namespace auren::kafka {
namespace {

constexpr std::chrono::seconds kReclaim{30};
constexpr int kWatermarkMs = 5000;

std::string Text(std::int64_t number) { return std::to_string(number); }

}  // namespace

bool Consumer::cooperative() const {
  const char* protocol = rd_kafka_rebalance_protocol(handle_.get());
  return protocol != nullptr && std::string_view(protocol) == "COOPERATIVE";
}

void Consumer::Rebalance(rd_kafka_t* /*handle*/, rd_kafka_resp_err_t event,
                         rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto* self = static_cast<Consumer*>(opaque);
  if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    self->Assign(partitions);
  } else {
    self->Revoke(*partitions);
  }
  self->Publish();
}

void Consumer::Assign(rd_kafka_topic_partition_list_t* partitions) {
  if (transaction_.active()) Finish(*transaction_.Poll(-1));
  std::vector<std::int32_t> numbers;
  numbers.reserve(static_cast<std::size_t>(partitions->cnt));
  for (int i = 0; i < partitions->cnt; ++i) numbers.push_back(partitions->elems[i].partition);
  ops::log::Info("consumer", "partitions assigned",
                 {{"topic", options_.topic}, {"partitions", partitions->cnt}});
  TakeOver(numbers);
  Fetch(numbers);  // also for none: the group waits for the call
}

void Consumer::Revoke(const rd_kafka_topic_partition_list_t& partitions) {
  // What is under way may still commit; if it does not, the next owner finds the row as it was.
  std::vector<std::int32_t> given_up;
  if (transaction_.active()) {
    Verdict verdict = *transaction_.Poll(-1);
    if (verdict.kind == Verdict::Kind::kCommitted) {
      Finish(std::move(verdict));
    } else if (!connection_.connected()) {
      ops::log::Warn("consumer", "gave up a batch at a rebalance",
                     {{"sqlstate", verdict.error.sqlstate}, {"error", verdict.error.message}});
    }
    for (const auto& [partition, reach] : ReachOf(flying_)) given_up.push_back(partition);
    flying_.clear();
  }
  TellKafka();
  for (int i = 0; i < partitions.cnt; ++i) {
    const std::int32_t partition = partitions.elems[i].partition;
    Forget(partition);
    stopped_.erase(partition);
    lost_.erase(partition);
    std::erase(again_, partition);
    if (observer_.lag) observer_.lag(partition, 0);  // its next owner's to tell
  }
  // Of a partition that stays with us the batch is read again: what was polled after it may not go
  // in without it.
  for (const std::int32_t partition : given_up) {
    if (!positions_.contains(partition)) continue;
    Forget(partition);
    again_.push_back(partition);
  }
  ops::log::Info("consumer", "partitions revoked",
                 {{"topic", options_.topic}, {"partitions", partitions.cnt}});
  if (cooperative()) {
    Note(rd_kafka_incremental_unassign(handle_.get(), &partitions));
  } else {
    rd_kafka_assign(handle_.get(), nullptr);
  }
}

// Makes the partitions ours in PostgreSQL and says where each begins; one that cannot go on is
// stopped, one that is not there is asked for again later: waiting here the group could not take it
// away. False: we are stopping.
bool Consumer::TakeOver(std::vector<std::int32_t> partitions) {
  std::map<std::int32_t, std::int64_t> lows, highs;
  while (lows.size() < partitions.size()) {
    for (const std::int32_t partition : std::vector(partitions)) {
      if (lows.contains(partition)) continue;
      const rd_kafka_resp_err_t error =
          rd_kafka_query_watermark_offsets(handle_.get(), options_.topic.c_str(), partition,
                                           &lows[partition], &highs[partition], kWatermarkMs);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      lows.erase(partition);
      if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
          error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
          error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
        std::erase(partitions, partition);
        again_.push_back(partition);
        continue;
      }
      Publish(std::string("where a partition begins is not known: ") + rd_kafka_err2str(error));
      if (!Wait(std::chrono::milliseconds(500))) return false;
      break;
    }
  }
  StoredRows rows;
  while (const auto error = offsets_.TakeOver(lows, &rows)) {
    Publish("the partitions could not be taken over: " + error->message);
    ops::log::Warn("consumer", "the partitions could not be taken over",
                   {{"sqlstate", error->sqlstate}, {"error", error->message}});
    if (postgres::Classify(error->sqlstate) == postgres::Action::kStop) connection_.Disconnect();
    if (!Wait(std::chrono::milliseconds(500))) return false;
  }
  for (const auto& [partition, row] : rows) {
    Position position;
    position.next_offset = position.polled = row.next_offset;
    position.epoch = row.epoch;
    // An operator let pass what was in the log when he said so.
    const auto stopped = stopped_.find(partition);
    if (stopped != stopped_.end() && stopped->second.why.reason == "fuse") {
      position.fuse_from = highs[partition];
    }
    stopped_.erase(partition);
    lost_.erase(partition);
    positions_[partition] = position;
    expected_.erase(partition);
    anchors_[partition] = {row.anchor, {}, {row.next_offset - 1, row.digest}};
    looked_back_ = {};  // soon: who had it before may not have come to it
    if (row.next_offset < lows[partition]) {
      StopPartition(partition, "retention_gap",
                    "records " + Text(row.next_offset) + " to " + Text(lows[partition] - 1) +
                        " were deleted by retention before they were taken in; to go on without "
                        "them: auren-worker kafka resume --partition " +
                        Text(partition) + " --at earliest");
    } else if (row.next_offset > highs[partition]) {
      StopPartition(partition, "topic_recreated",
                    "the log ends at " + Text(highs[partition]) + ", before offset " +
                        Text(row.next_offset) +
                        ": the topic was made anew; to read it from its beginning: auren-worker "
                        "kafka resume --partition " +
                        Text(partition) + " --at earliest");
    } else if (!row.digest.empty() && row.next_offset > lows[partition]) {
      expected_[partition] = row.digest;
    }
  }
  return true;
}

// Fetches the partitions from where they stand. In a cooperative group a stopped one stays
// assigned, as a later revocation names it: what comes of it is not taken.
void Consumer::Fetch(const std::vector<std::int32_t>& partitions) {
  const bool all = !cooperative();
  const PartitionList list = MakePartitionList(16);
  const auto add = [&](std::int32_t partition) {
    const auto position = positions_.find(partition);
    if (all && position == positions_.end()) return;
    const std::int64_t before = expected_.contains(partition) ? 1 : 0;
    rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition)->offset =
        position == positions_.end() ? RD_KAFKA_OFFSET_END : position->second.polled - before;
  };
  if (all) {
    for (const auto& [partition, position] : positions_) add(partition);
    rd_kafka_assign(handle_.get(), list.get());
  } else {
    for (const std::int32_t partition : partitions) add(partition);
    Note(rd_kafka_incremental_assign(handle_.get(), list.get()));
  }
}

// Forgets where a partition stood, and its records that were only polled.
void Consumer::Forget(std::int32_t partition) {
  positions_.erase(partition);
  expected_.erase(partition);
  untold_.erase(partition);
  anchors_.erase(partition);
  std::erase_if(next_, [&](const Item& item) { return item.record.partition == partition; });
  if (next_.empty()) next_bytes_ = 0;
}

void Consumer::StopPartition(std::int32_t partition, const std::string& reason,
                             const std::string& detail) {
  ops::log::Error("consumer", "a partition is stopped: " + detail,
                  {{"topic", options_.topic}, {"partition", int{partition}}, {"reason", reason}});
  stopped_[partition] = {{partition, reason, detail}, positions_.at(partition).epoch};
  Forget(partition);
  ticked_ = {};  // the row says so soon
}

void Consumer::Lost(const std::vector<std::int32_t>& partitions) {
  for (const std::int32_t partition : partitions) {
    ops::log::Warn("consumer", "fenced: another worker has taken the partition over",
                   {{"topic", options_.topic}, {"partition", int{partition}}});
    Forget(partition);
    lost_[partition] = Clock::now();
  }
  if (observer_.fenced) observer_.fenced(partitions.size());
}

// REQUIRES: no transaction is active.
void Consumer::LookAgain() {
  std::vector<std::int32_t> stopped, again = std::exchange(again_, {});
  bool halted = false;
  for (auto& [partition, halt] : stopped_) {
    stopped.push_back(partition);
    if (halt.noted) continue;
    halt.noted = !offsets_.Stop(partition, halt.epoch, halt.why.reason, halt.why.detail);
    halted = true;
  }
  // What is not taken need not be fetched either.
  if (halted && !cooperative()) Fetch({});
  StoredRows rows;
  if (!stopped.empty() && !offsets_.Read(stopped, &rows)) {
    for (const auto& [partition, row] : rows) {
      const Halt& halt = stopped_.at(partition);
      if (halt.noted && row.epoch == halt.epoch && row.stopped_reason.empty()) {
        ops::log::Info("consumer", "a partition is resumed",
                       {{"topic", options_.topic}, {"partition", int{partition}}});
        again.push_back(partition);
      }
    }
  }
  // Fenced, and yet Kafka has left it with us: whoever took it over is gone.
  for (const auto& [partition, since] : lost_) {
    if (Clock::now() - since >= kReclaim) again.push_back(partition);
  }
  std::sort(again.begin(), again.end());
  again.erase(std::unique(again.begin(), again.end()), again.end());
  if (again.empty()) return;
  for (const std::int32_t partition : again) Forget(partition);
  if (cooperative()) {
    const PartitionList list = MakePartitionList(static_cast<int>(again.size()));
    for (const std::int32_t partition : again) {
      rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition);
    }
    Note(rd_kafka_incremental_unassign(handle_.get(), list.get()));
  }
  TakeOver(again);
  const bool any = std::any_of(again.begin(), again.end(), [&](std::int32_t partition) {
    return positions_.contains(partition);
  });
  if (any || cooperative()) Fetch(again);
}

}  // namespace auren::kafka
