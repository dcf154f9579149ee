#include "kafka/client.h"

#include <syslog.h>

#include <algorithm>
#include <array>

#include "ops/log.h"

namespace auren::kafka {
namespace {

using Properties = std::map<std::string, std::string>;

// What the guarantees stand on.
constexpr std::array<const char*, 15> kOurs = {
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "group.id",
    "group.instance.id",
    "isolation.level",
    "max.in.flight.requests.per.connection",
    "metadata.broker.list",
    "partitioner",
    "request.required.acks",
    "test.mock.num.brokers",
    "transactional.id",
};

Properties BaseOf(Kind kind) {
  Properties base = {
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      {"log.connection.close", "false"},
      // A broker that comes back is found at once, new partitions within a minute.
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      {"topic.metadata.refresh.interval.ms", "60000"},
      {"allow.auto.create.topics", "false"},
  };
  if (kind == Kind::kProducer) {
    base.insert({{"enable.idempotence", "true"},     // acks=all, at most 5 requests in flight
                 {"partitioner", "murmur2_random"},  // Java's: a person's partition is the same
                 {"compression.codec", "lz4"},
                 {"batch.size", "1000000"},
                 // A value of 1 MiB, its key and headers.
                 {"message.max.bytes", "1114112"}});
  }
  if (kind == Kind::kConsumer) {
    base.insert({{"enable.auto.commit", "false"},
                 {"enable.auto.offset.store", "false"},
                 {"auto.offset.reset", "error"},
                 {"isolation.level", "read_committed"},
                 {"partition.assignment.strategy", "range"},
                 {"session.timeout.ms", "10000"},
                 {"heartbeat.interval.ms", "2500"},
                 // While PostgreSQL is away nobody polls: the topic is the buffer.
                 {"max.poll.interval.ms", "1800000"},
                 // What is fetched ahead, in each consumer.
                 {"queued.min.messages", "10000"},
                 {"queued.max.messages.kbytes", "8192"},
                 // Of each partition, compressed: unpacked it may be ten times as much.
                 {"fetch.message.max.bytes", "262144"},
                 {"fetch.wait.max.ms", "50"},
                 {"fetch.error.backoff.ms", "100"}});
  }
  return base;
}

// Properties of the other kind only earn a warning in librdkafka's log: each gets its own.
bool IsFor(Kind kind, const std::string& name) {
  static constexpr std::array<const char*, 9> kConsumerOnly = {
      "partition.assignment.strategy", "session.timeout.ms",  "heartbeat.interval.ms",
      "max.poll.interval.ms",          "queued.min.messages", "queued.max.messages.kbytes",
      "fetch.message.max.bytes",       "fetch.wait.max.ms",   "fetch.error.backoff.ms"};
  static constexpr std::array<const char*, 6> kProducerOnly = {
      "compression.codec", "compression.type",   "batch.size",
      "linger.ms",         "message.timeout.ms", "queue.buffering.max.ms"};
  const auto in = [&](const auto& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  return kind == Kind::kConsumer ? !in(kProducerOnly) : !in(kConsumerOnly);
}

bool Set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value,
         std::string* error) {
  std::array<char, 512> text{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text.data(), text.size()) ==
      RD_KAFKA_CONF_OK) {
    return true;
  }
  *error = text.data();
  return false;
}

void Log(const rd_kafka_t* /*handle*/, int level, const char* facility, const char* text) {
  const auto log = level <= LOG_ERR       ? ops::log::Error
                   : level <= LOG_WARNING ? ops::log::Warn
                   : level <= LOG_INFO    ? ops::log::Info
                                          : ops::log::Debug;
  log("librdkafka", text, {{"facility", facility}});
}

// Every broker refusing for a while is told once by whoever watches, not by each attempt.
void Error(rd_kafka_t* /*handle*/, int code, const char* reason, void* /*opaque*/) {
  ops::log::Debug("librdkafka", reason,
                  {{"code", rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(code))}});
}

}  // namespace

std::string MissingTopic(const std::string& topic) {
  return "topic " + topic +
         " does not exist; an administrator runs: auren-worker kafka create-topics";
}

void Note(rd_kafka_error_t* error) {
  if (error == nullptr) return;
  ops::log::Warn("librdkafka", rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
}

std::vector<std::string> CheckProperties(const Properties& properties) {
  std::vector<std::string> problems;
  const Conf conf(rd_kafka_conf_new());
  for (const auto& [name, value] : properties) {
    const std::string where = "kafka.properties: " + name + ": ";
    std::string error;
    if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) {
      problems.push_back(where + "set by the worker, its guarantees depend on it");
    } else if (!Set(conf.get(), name, value, &error)) {
      problems.push_back(where + error);
    }
  }
  return problems;
}

Conf MakeConf(Kind kind, const Settings& settings, const Properties& more, void* opaque,
              std::string* error) {
  Properties all = BaseOf(kind);
  for (const auto& [name, value] : settings.properties) {
    if (IsFor(kind, name)) all[name] = value;
  }
  all["bootstrap.servers"] = settings.bootstrap_servers;
  all["client.id"] = settings.client_id;
  for (const auto& [name, value] : more) all[name] = value;

  Conf conf(rd_kafka_conf_new());
  for (const auto& [name, value] : all) {
    if (!Set(conf.get(), name, value, error)) return nullptr;
  }
  rd_kafka_conf_set_log_cb(conf.get(), Log);
  rd_kafka_conf_set_error_cb(conf.get(), Error);
  rd_kafka_conf_set_opaque(conf.get(), opaque);
  return conf;
}

Handle MakeHandle(Kind kind, Conf conf, std::string* error) {
  std::array<char, 512> text{};
  const auto type = kind == Kind::kConsumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
  Handle handle(rd_kafka_new(type, conf.get(), text.data(), text.size()));
  if (handle) {
    (void)conf.release();  // the handle owns it now
  } else {
    *error = text.data();
  }
  return handle;
}

}  // namespace auren::kafka
