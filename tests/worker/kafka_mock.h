// librdkafka's mock cluster with owners, and a look at what arrived. In memory, no persistence:
// good for injected errors and for nothing else.
#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kafka/client.h"
#include "kafka/record.h"

namespace auren::kafka {

// Protocol numbers of the requests that errors are injected into.
inline constexpr std::int16_t kProduce = 0;

class MockCluster {
 public:
  explicit MockCluster(int brokers = 1) {
    std::string error;
    Conf conf(rd_kafka_conf_new());  // a host that itself connects to nothing
    rd_kafka_conf_set(conf.get(), "log_level", "0", nullptr, 0);
    host_ = MakeHandle(Kind::kAdmin, std::move(conf), &error);
    EXPECT_TRUE(host_) << error;
    cluster_.reset(rd_kafka_mock_cluster_new(host_.get(), brokers));
  }

  Settings settings() const {
    Settings settings;
    settings.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(cluster_.get());
    return settings;
  }
  void Topic(const std::string& name, int partitions, int replicas = 1) {
    rd_kafka_mock_topic_create(cluster_.get(), name.c_str(), partitions, replicas);
  }
  // The next Produce requests fail so, one after the other.
  void FailProduce(const std::vector<rd_kafka_resp_err_t>& errors) {
    rd_kafka_mock_push_request_errors_array(cluster_.get(), kProduce, errors.size(), errors.data());
  }
  void Down() { rd_kafka_mock_broker_set_down(cluster_.get(), 1); }
  void Up() { rd_kafka_mock_broker_set_up(cluster_.get(), 1); }
  rd_kafka_mock_cluster_t* get() const { return cluster_.get(); }

  // All of the topic, by partition and offset, when there are `count` of them and no more.
  std::vector<Record> Arrived(const std::string& topic, int partitions, std::size_t count) const;

 private:
  Handle host_;
  std::unique_ptr<rd_kafka_mock_cluster_t, Deleter<rd_kafka_mock_cluster_destroy>> cluster_;
};

inline std::vector<Record> MockCluster::Arrived(const std::string& topic, int partitions,
                                                std::size_t count) const {
  std::string error;
  Conf conf = MakeConf(Kind::kConsumer, settings(),
                       {{"group.id", "reader"}, {"enable.partition.eof", "true"}}, nullptr, &error);
  const Handle consumer = MakeHandle(Kind::kConsumer, std::move(conf), &error);
  EXPECT_TRUE(consumer) << error;
  rd_kafka_poll_set_consumer(consumer.get());
  const PartitionList list = MakePartitionList(partitions);
  for (int partition = 0; partition < partitions; ++partition) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(consumer.get(), list.get());
  std::vector<Record> records;
  for (int ends = 0, silent = 0; ends < partitions && silent < 600;) {
    const Message message(rd_kafka_consumer_poll(consumer.get(), 100));
    if (!message) {
      ++silent;
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ++ends;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    Record& record = records.emplace_back();
    record.partition = message->partition;
    record.offset = message->offset;
    record.timestamp_ms = rd_kafka_message_timestamp(message.get(), nullptr);
    if (message->key != nullptr) {
      record.key.emplace(static_cast<const char*>(message->key), message->key_len);
    }
    if (message->payload != nullptr) {
      record.value.emplace(static_cast<const char*>(message->payload), message->len);
    }
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message.get(), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      Header& header = record.headers.emplace_back();
      header.key = name;
      if (value != nullptr) header.value.emplace(static_cast<const char*>(value), size);
    }
  }
  EXPECT_EQ(records.size(), count);
  return records;
}

// Waits until it holds; a minute is only ever waited for when something is broken.
inline bool Await(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace auren::kafka
