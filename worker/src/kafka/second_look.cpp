#include "kafka/second_look.h"

#include <utility>

#include "kafka/batch.h"
#include "kafka/message.h"
#include "ops/log.h"

namespace auren::kafka {
namespace {

constexpr int kWatermarkMs = 1000;

}  // namespace

SecondLook::SecondLook(Settings settings, std::string topic, std::string group_id)
    : settings_(std::move(settings)), topic_(std::move(topic)), group_id_(std::move(group_id)) {}

bool SecondLook::Open() {
  if (handle_) return true;
  std::string error;
  // One record of each is wanted; a broker sends no less than the batch it lies in.
  Conf conf = MakeConf(Kind::kConsumer, settings_,
                       {{"group.id", group_id_},
                        {"client.id", settings_.client_id + "-look"},
                        {"queued.min.messages", "1"},
                        {"queued.max.messages.kbytes", "1024"},
                        {"fetch.message.max.bytes", "1"}},
                       nullptr, &error);
  if (conf) handle_ = MakeHandle(Kind::kConsumer, std::move(conf), &error);
  if (!handle_) {
    ops::log::Warn("consumer", "no second look can be taken", {{"error", error}});
    return false;
  }
  rd_kafka_poll_set_consumer(handle_.get());
  return true;
}

void SecondLook::Ask(const std::map<std::int32_t, std::int64_t>& offsets) {
  if (!Open()) return;
  asked_ = offsets;
  const PartitionList list = MakePartitionList(static_cast<int>(offsets.size()));
  for (const auto& [partition, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)->offset = offset;
  }
  rd_kafka_assign(handle_.get(), list.get());
}

std::optional<SecondLook::Seen> SecondLook::SeenIn(const rd_kafka_message_t& message,
                                                   std::int64_t asked) {
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (message.offset != asked) return Seen{Seen::Kind::kGone, asked, ""};
    return Seen{Seen::Kind::kRecord, asked, DigestOf(RecordOf(message, topic_))};
  }
  if (message.err != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) return std::nullopt;
  std::int64_t low = 0, high = 0;
  if (rd_kafka_query_watermark_offsets(handle_.get(), topic_.c_str(), message.partition, &low,
                                       &high, kWatermarkMs) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  if (asked < low) return Seen{Seen::Kind::kGone, asked, ""};
  if (asked >= high) return Seen{Seen::Kind::kEnds, asked, ""};
  return std::nullopt;
}

std::map<std::int32_t, SecondLook::Seen> SecondLook::Look() {
  std::map<std::int32_t, Seen> seen;
  if (!handle_) return seen;
  while (const Message message{rd_kafka_consumer_poll(handle_.get(), 0)}) {
    const auto asked = asked_.find(message->partition);
    if (asked == asked_.end()) continue;
    if (const auto found = SeenIn(*message, asked->second)) {
      seen[asked->first] = *found;
      asked_.erase(asked);
    }
  }
  if (!seen.empty() && asked_.empty()) rd_kafka_assign(handle_.get(), nullptr);
  return seen;
}

void SecondLook::Close() {
  asked_.clear();
  handle_.reset();
}

}  // namespace auren::kafka
