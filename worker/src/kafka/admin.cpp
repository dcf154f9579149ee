#include "kafka/admin.h"

#include <array>
#include <cstdlib>

namespace auren::kafka {
namespace {

using Queue = std::unique_ptr<rd_kafka_queue_t, Deleter<rd_kafka_queue_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Deleter<rd_kafka_NewTopic_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Deleter<rd_kafka_AdminOptions_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Deleter<rd_kafka_event_destroy>>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, Deleter<rd_kafka_topic_destroy>>;
using TopicMetadata =
    std::unique_ptr<const rd_kafka_metadata_t, Deleter<rd_kafka_metadata_destroy>>;

// A value of 1 MiB with its key and headers, and a dead letter's more: the brokers' own default is
// a little less than 1 MiB for all of a record.
constexpr char kMaxMessageBytes[] = "2097152";

}  // namespace

Admin::Admin(const Settings& settings) {
  // Asked now and then: an idle connection that the broker closes is no news.
  Conf conf = MakeConf(Kind::kAdmin, settings, {{"topic.metadata.refresh.interval.ms", "-1"}},
                       nullptr, &why_);
  if (conf) handle_ = MakeHandle(Kind::kAdmin, std::move(conf), &why_);
}

bool Admin::ok(std::string* error) const {
  *error = why_;
  return handle_ != nullptr;
}

bool Admin::Look(const std::vector<std::string>& topics, std::chrono::milliseconds timeout,
                 Cluster* cluster, std::string* error) {
  if (!ok(error)) return false;
  *cluster = {};
  const auto end = std::chrono::steady_clock::now() + timeout;
  const auto left = [&] {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    return static_cast<int>(ms.count() > 1 ? ms.count() : 1);
  };
  for (const std::string& name : topics) {
    const TopicHandle topic(rd_kafka_topic_new(handle_.get(), name.c_str(), nullptr));
    const rd_kafka_metadata_t* raw = nullptr;
    const rd_kafka_resp_err_t failed =
        rd_kafka_metadata(handle_.get(), 0, topic.get(), &raw, left());
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
      *error = rd_kafka_err2str(failed);
      return false;
    }
    const TopicMetadata metadata(raw);
    Topic found{name, 0};
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      const rd_kafka_metadata_topic& each = metadata->topics[i];
      if (each.topic != name || each.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
      if (each.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        *error = name + ": " + rd_kafka_err2str(each.err);
        return false;
      }
      found.partitions = each.partition_cnt;
    }
    cluster->topics.push_back(found);
  }
  if (char* id = rd_kafka_clusterid(handle_.get(), left()); id != nullptr) {
    cluster->id = id;
    rd_kafka_mem_free(handle_.get(), id);
  }
  return true;
}

bool Admin::Ends(const std::string& topic, int partition, std::chrono::milliseconds timeout,
                 std::int64_t* low, std::int64_t* high, std::string* error) {
  if (!ok(error)) return false;
  const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
      handle_.get(), topic.c_str(), partition, low, high, static_cast<int>(timeout.count()));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) *error = rd_kafka_err2str(code);
  return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

Admin::Made Admin::CreateTopic(const Topic& topic, int replication,
                               std::chrono::milliseconds timeout, std::string* error) {
  if (!ok(error)) return Made::kUnavailable;
  std::array<char, 512> text{};
  const NewTopic wanted(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, replication,
                                              text.data(), text.size()));
  if (!wanted) {
    *error = text.data();
    return Made::kRefused;
  }
  rd_kafka_NewTopic_set_config(wanted.get(), "max.message.bytes", kMaxMessageBytes);
  const AdminOptions options(
      rd_kafka_AdminOptions_new(handle_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
  const int ms = static_cast<int>(timeout.count());
  rd_kafka_AdminOptions_set_request_timeout(options.get(), ms, text.data(), text.size());
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), ms, text.data(), text.size());
  const Queue queue(rd_kafka_queue_new(handle_.get()));
  rd_kafka_NewTopic_t* list = wanted.get();
  rd_kafka_CreateTopics(handle_.get(), &list, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), ms + 1000));
  if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    *error = event ? rd_kafka_event_error_string(event.get()) : "no answer";
    return Made::kUnavailable;
  }
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count != 1) {
    *error = "an answer without the topic";
    return Made::kUnavailable;
  }
  const rd_kafka_resp_err_t failed = rd_kafka_topic_result_error(results[0]);
  if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) return Made::kMade;
  if (failed == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return Made::kExists;
  const char* why = rd_kafka_topic_result_error_string(results[0]);
  *error = why != nullptr ? why : rd_kafka_err2str(failed);
  return Made::kRefused;
}

}  // namespace auren::kafka
