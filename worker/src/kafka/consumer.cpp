#include "kafka/consumer.h"

#include <pthread.h>

#include <array>
#include <utility>

#include "kafka/message.h"
#include "ops/log.h"

namespace auren::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{1000};
constexpr milliseconds kBrokerPause{1000};
constexpr milliseconds kLastBatch{10'000};
constexpr milliseconds kLeave{5000};

}  // namespace

Consumer::Consumer(Settings settings, ConsumerOptions options, int number,
                   ConsumerObserver observer)
    : settings_(std::move(settings)),
      options_(std::move(options)),
      name_("consumer-" + std::to_string(number)),
      observer_(std::move(observer)),
      connection_(options_.postgres_url, name_),
      offsets_(&connection_, options_.topic, options_.instance_id + "-" + std::to_string(number)),
      transaction_(&connection_, &offsets_),
      second_look_(settings_, options_.topic, options_.group_id),
      settler_(&connection_, &offsets_, &transaction_, options_.settling,
               {[this](const Batch& batch, const Verdict& verdict) { Committed(batch, verdict); },
                [this](const std::vector<std::int32_t>& partitions) { Lost(partitions); },
                [this](const std::vector<std::int32_t>& partitions) {
                  ops::log::Warn("consumer",
                                 "the database has gone back: taking the partitions in again from "
                                 "where it stands",
                                 {{"topic", options_.topic}});
                  for (const std::int32_t partition : partitions) {
                    Forget(partition);
                    again_.push_back(partition);
                  }
                },
                [this](std::int32_t partition, const std::string& refusal) {
                  StopPartition(partition, "fuse",
                                "nearly everything is refused, the last for " + refusal +
                                    "; look at bridge.dead_letters, then: auren-worker kafka "
                                    "resume --partition " +
                                    std::to_string(partition));
                },
                [this](milliseconds time) {
                  Publish();
                  return Wait(time);
                }}),
      thread_([this] { Run(); }) {}

Consumer::~Consumer() { Stop(); }

void Consumer::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Consumer::Health Consumer::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

bool Consumer::Wait(milliseconds time) {
  if (observer_.beat) observer_.beat();
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return stopping_; });
}

void Consumer::Publish(const std::string& broker_error) {
  Health health;
  health.broker_error = broker_error;
  health.postgres = settler_.health();
  health.partitions = positions_.size();
  // Not before the row says it too: whoever reads it here may resume it.
  for (const auto& [partition, halt] : stopped_) {
    if (halt.noted) health.stopped.push_back(halt.why);
  }
  const std::lock_guard lock(mutex_);
  health_ = std::move(health);
}

void Consumer::Run() {
  pthread_setname_np(pthread_self(), name_.c_str());
  while (Wait(milliseconds(0))) {
    if (fatal_) {
      // Another of the same instance id, most likely: do not take turns at full speed.
      Close();
      if (!Wait(kBrokerPause)) break;
    }
    if (!subscribed_ && !Open()) {
      if (!Wait(kBrokerPause)) break;
      continue;
    }
    if (transaction_.active()) {
      // Full: nothing to do but wait. Else the next batch is made meanwhile.
      if (auto verdict = transaction_.Poll(Full() ? 20 : 0)) {
        Finish(std::move(*verdict));
      } else if (!Full()) {
        PollOne(1);
      }
    } else if (next_.empty()) {
      PollOne(100);
    }
    while (!Full() && PollOne(0)) {
    }
    if (!transaction_.active() && !next_.empty()) Begin();
    if (Clock::now() - ticked_ >= kTick) Tick();
  }
  Close();
}

// Joins the group, once PostgreSQL and the broker have both been seen: a member that cannot take
// anything in would only hold its partitions.
bool Consumer::Open() {
  if (const auto error = connection_.Connect()) {
    Publish("PostgreSQL is away: " + error->message);
    return false;
  }
  std::string error;
  if (!handle_) {
    Conf conf = MakeConf(Kind::kConsumer, settings_,
                         {{"group.id", options_.group_id},
                          {"group.instance.id", options_.instance_id + "-" + name_.substr(9)},
                          {"client.id", settings_.client_id + "-" + name_}},
                         this, &error);
    if (conf) {
      rd_kafka_conf_set_rebalance_cb(conf.get(), Rebalance);
      handle_ = MakeHandle(Kind::kConsumer, std::move(conf), &error);
    }
    if (!handle_) {
      Publish(error);
      return false;
    }
    rd_kafka_poll_set_consumer(handle_.get());
  }
  const std::unique_ptr<char, Deleter<std::free>> cluster(rd_kafka_clusterid(handle_.get(), 1000));
  if (!cluster) {
    Publish("no broker of " + settings_.bootstrap_servers + " answers");
    return false;
  }
  offsets_.SetCluster(cluster.get());
  const PartitionList topics = MakePartitionList(1);
  rd_kafka_topic_partition_list_add(topics.get(), options_.topic.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t subscribed = rd_kafka_subscribe(handle_.get(), topics.get());
  if (subscribed != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Publish(rd_kafka_err2str(subscribed));
    return false;
  }
  subscribed_ = true;
  Publish();
  return true;
}

void Consumer::Close() {
  if (transaction_.active()) {
    // PostgreSQL may be held up for longer than our end can wait. The row tells what it did.
    std::optional<Verdict> verdict;
    for (const auto end = Clock::now() + kLastBatch; !verdict && Clock::now() < end;) {
      verdict = transaction_.Poll(100);
    }
    if (!verdict) {
      connection_.Disconnect();
      verdict = transaction_.Poll(-1);
    }
    if (verdict->kind == Verdict::Kind::kCommitted) Finish(std::move(*verdict));
  }
  TellKafka();
  if (handle_ && subscribed_) Leave();
  second_look_.Close();
  handle_.reset();
  subscribed_ = fatal_ = false;
  flying_.clear();
  next_.clear();
  next_bytes_ = 0;
  positions_.clear();
  stopped_.clear();
  lost_.clear();
  expected_.clear();
  anchors_.clear();
  again_.clear();
  untold_.clear();
  connection_.Disconnect();
}

// A broker that does not answer, or a partition that is not there any more, may hold the end of a
// membership up for ever (librdkafka 2.0.2). Then we go without: the group notices.
void Consumer::Leave() {
  Queue own(rd_kafka_queue_get_consumer(handle_.get()));
  Note(rd_kafka_consumer_close_queue(handle_.get(), own.get()));
  const auto end = Clock::now() + kLeave;
  while (rd_kafka_consumer_closed(handle_.get()) == 0 && Clock::now() < end) {
    const Message late(rd_kafka_consumer_poll(handle_.get(), 50));
  }
  if (rd_kafka_consumer_closed(handle_.get()) == 0) {
    own.reset();
    EndHandle(handle_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
}

bool Consumer::Full() const {
  return next_.size() >= settler_.limit() || next_bytes_ >= options_.batch_bytes;
}

bool Consumer::PollOne(int timeout_ms) {
  const Message message(rd_kafka_consumer_poll(handle_.get(), timeout_ms));
  if (!message) return false;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    Take(*message);
  } else {
    TakeError(*message);
  }
  return true;
}

void Consumer::Take(const rd_kafka_message_t& message) {
  const auto it = positions_.find(message.partition);
  if (it == positions_.end()) return;  // stopped or lost while it was on its way
  Position& position = it->second;
  Item item;
  item.record = RecordOf(message, options_.topic);
  if (const auto expected = expected_.find(message.partition); expected != expected_.end()) {
    // The record before the first is asked for too: it must be the one that was read.
    const std::string digest = std::move(expected->second);
    expected_.erase(expected);
    if (message.offset < position.next_offset && DigestOf(item.record) != digest) {
      StopPartition(message.partition, "topic_recreated",
                    "the record at offset " + std::to_string(message.offset) +
                        " is not the one that was read: the topic was made anew");
      return;
    }
  }
  if (message.offset < position.polled) return;
  position.polled = message.offset + 1;
  item.decoded = Decode(item.record);
  next_bytes_ += static_cast<std::int64_t>(item.decoded.json.size() + message.len);
  next_.push_back(std::move(item));
}

void Consumer::TakeError(const rd_kafka_message_t& message) {
  std::array<char, 512> text{};
  if (message.err == RD_KAFKA_RESP_ERR__FATAL ||
      rd_kafka_fatal_error(handle_.get(), text.data(), text.size()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    ops::log::Error("consumer", "left the group", {{"error", text.data()}});
    Publish(text.data());
    fatal_ = true;
    return;
  }
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:  // told if the operator wants it to be
      break;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      // Retention has passed us, or the topic is gone or another one: ask anew where it begins.
      ops::log::Warn("consumer", rd_kafka_message_errstr(&message),
                     {{"topic", options_.topic}, {"partition", int{message.partition}}});
      for (const auto& [partition, position] : positions_) {
        if (partition == message.partition || message.partition < 0) again_.push_back(partition);
      }
      break;
    default:
      ops::log::Warn("consumer", rd_kafka_message_errstr(&message),
                     {{"topic", options_.topic}, {"partition", int{message.partition}}});
  }
}

void Consumer::Begin() {
  flying_ = std::exchange(next_, {});
  next_bytes_ = 0;
  began_ = Clock::now();
  if (observer_.batch) observer_.batch(flying_.size());
  transaction_.Begin(&flying_, &positions_);
}

void Consumer::Finish(Verdict verdict) {
  if (!settler_.Settle(std::move(flying_), std::move(verdict), &positions_)) {
    // We are stopping. What was polled after it would move the offset past it.
    next_.clear();
    positions_.clear();
  }
  flying_.clear();
  Publish();
}

void Consumer::Committed(const Batch& batch, const Verdict& verdict) {
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  if (observer_.committed) observer_.committed(seconds);
  if (observer_.outcome) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      observer_.outcome(batch[i], verdict.outcomes[i], verdict.reasons[i]);
    }
  }
  for (const auto& [partition, reach] : verdict.reaches) {
    untold_[partition] = reach.next;
    anchors_[partition].newest = {reach.next - 1, reach.digest};
  }
}

// After the commit, and only for tools that show lag: nothing reads it here, nothing depends on it.
void Consumer::TellKafka() {
  if (untold_.empty() || !handle_ || !subscribed_) return;
  const PartitionList list = MakePartitionList(static_cast<int>(untold_.size()));
  for (const auto& [partition, offset] : untold_) {
    rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition)->offset =
        offset;
  }
  rd_kafka_commit(handle_.get(), list.get(), /*async=*/1);
  untold_.clear();
}

void Consumer::Tick() {
  ticked_ = Clock::now();
  TellKafka();
  if (observer_.lag) {
    for (const auto& [partition, position] : positions_) {
      std::int64_t low = 0, high = 0;
      if (rd_kafka_get_watermark_offsets(handle_.get(), options_.topic.c_str(), partition, &low,
                                         &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
          high >= position.next_offset) {
        observer_.lag(partition, high - position.next_offset);
      }
    }
  }
  LookBack();
  if (!stopped_.empty() || !lost_.empty() || !again_.empty()) {
    if (transaction_.active()) Finish(*transaction_.Poll(-1));
    LookAgain();
  }
  Publish();
}

}  // namespace auren::kafka
