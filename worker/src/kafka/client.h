// librdkafka's handles with owners, and how every client of ours is set up.
//
// Properties are ours where the guarantees depend on them; `kafka.properties` may set any other.
// Calls of librdkafka 2.0.2 with known losses are not used anywhere: no batch consumption, no
// pause and resume.
#pragma once

#include <librdkafka/rdkafka.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kafka/ending.h"

namespace auren::kafka {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Handle = std::unique_ptr<rd_kafka_t, HandleEnd>;
using Conf = std::unique_ptr<rd_kafka_conf_t, Deleter<rd_kafka_conf_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      Deleter<rd_kafka_topic_partition_list_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Deleter<rd_kafka_queue_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Deleter<rd_kafka_message_destroy>>;

struct Settings {
  std::string bootstrap_servers;
  std::map<std::string, std::string> properties;  // the operator's own
  std::string client_id = "auren-worker";
};

enum class Kind { kProducer, kConsumer, kAdmin };

// What the operator's properties are not allowed to be, or librdkafka refuses, one line each, as
// "kafka.properties: acks: set by the worker, ...".
std::vector<std::string> CheckProperties(const std::map<std::string, std::string>& properties);

// Base properties of the kind, then the operator's, then `more` (which win). nullptr: `error` says
// why. `opaque` is what callbacks get; logs go to ops::log.
Conf MakeConf(Kind kind, const Settings& settings, const std::map<std::string, std::string>& more,
              void* opaque, std::string* error);

// nullptr: `error` says why.
Handle MakeHandle(Kind kind, Conf conf, std::string* error);

// What an operator is told when a topic does not exist: the command that makes it.
std::string MissingTopic(const std::string& topic);

// Logs it, if it is one, and frees it.
void Note(rd_kafka_error_t* error);

inline PartitionList MakePartitionList(int size) {
  return PartitionList(rd_kafka_topic_partition_list_new(size));
}

}  // namespace auren::kafka
