#include "app/consumers.h"

#include <unistd.h>

#include <array>
#include <thread>

#include "app/load_config.h"
#include "app/outcome_metrics.h"

namespace auren::app {
namespace {

using Check = ops::Readiness::Check;

// A foreign record's source is anybody's text and may not become a label.
std::string DeviceType(const devices::Catalog* catalog, const std::string& provider) {
  return catalog != nullptr && catalog->Find(provider) != nullptr ? provider : "other";
}

// Between two signs of life of a consumer lies at most a batch, whose statements have limits.
constexpr std::chrono::seconds kLongestSilence{120};

kafka::ConsumerObserver Observe(const config::Config& config, ops::Metrics* metrics,
                                ops::Beat beat) {
  kafka::ConsumerObserver observer;
  const std::string topic = config.kafka.topic;
  observer.batch = [metrics](std::size_t records) {
    metrics->BatchSent(static_cast<double>(records));
  };
  observer.committed = [metrics](double seconds) { metrics->TransactionTook(seconds); };
  observer.outcome = [metrics, topic, catalog = config.catalog](const kafka::Item& item,
                                                                const ingest::Outcome& outcome,
                                                                const std::string& reason) {
    metrics->KafkaProcessed(topic, reason.empty() ? outcome.status : "dead_letter");
    if (!reason.empty()) metrics->DeadLetter(reason);
    CountOutcome(metrics, DeviceType(catalog.get(), item.decoded.provider), outcome);
  };
  observer.lag = [metrics, topic](std::int32_t partition, std::int64_t records) {
    metrics->KafkaLag(topic, partition, static_cast<double>(records));
  };
  observer.fenced = [metrics](std::size_t partitions) {
    metrics->KafkaFenced(static_cast<double>(partitions));
  };
  observer.beat = [shared = std::make_shared<ops::Beat>(std::move(beat))] { shared->Tick(); };
  return observer;
}

}  // namespace

std::string InstanceId(const config::Config& config, int port) {
  if (!config.kafka.instance_id.empty()) return config.kafka.instance_id;
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return "worker-" + std::to_string(port);
  return std::string(host.data()) + "-" + std::to_string(port);
}

Consumers::Consumers(const config::Config& config, int port, ops::Metrics* metrics,
                     ops::Readiness* readiness, ops::Progress* progress)
    : metrics_(metrics), readiness_(readiness) {
  kafka::ConsumerOptions options;
  options.postgres_url = config.postgres.url;
  options.topic = config.kafka.topic;
  options.group_id = config.kafka.group_id;
  options.instance_id = InstanceId(config, port);
  options.batch_bytes = config.ingest.max_batch_bytes;
  options.settling.batch_records = static_cast<std::size_t>(config.ingest.max_batch_deliveries);
  readiness_->Set("consumers", Check::kDegraded, "joining the group");
  for (int i = 0; i < config.kafka.consumers; ++i) {
    consumers_.push_back(std::make_unique<kafka::Consumer>(
        KafkaSettings(config), options, i,
        Observe(config, metrics, progress->Add("consumer-" + std::to_string(i), kLongestSilence))));
  }
}

void Consumers::Report() {
  Check check = Check::kOk;
  std::string detail;
  bool open = false;
  const auto say = [&](Check level, const std::string& text) {
    if (level > check) check = level;
    if (!detail.empty()) detail += "; ";
    detail += text;
  };
  for (const auto& consumer : consumers_) {
    const kafka::Consumer::Health health = consumer->health();
    open |= health.postgres.breaker_open;
    for (const auto& stopped : health.stopped) {
      say(Check::kDown,
          "partition " + std::to_string(stopped.partition) + " is stopped: " + stopped.detail);
    }
    if (health.postgres.stopped) {
      say(Check::kDown,
          "stopped by SQLSTATE " + health.postgres.sqlstate + ": " + health.postgres.message);
    } else if (health.postgres.breaker_open) {
      say(Check::kDegraded, "PostgreSQL does not take it: " + health.postgres.message);
    }
    // The topic keeps what comes meanwhile.
    if (!health.broker_error.empty()) say(Check::kDegraded, health.broker_error);
  }
  readiness_->Set("consumers", check, detail);
  metrics_->Breaker("postgres", open ? 1 : 0);
}

void Consumers::Stop() {
  // Each may wait for its transaction: all at the same time.
  std::vector<std::thread> stoppers;
  stoppers.reserve(consumers_.size());
  for (const auto& consumer : consumers_) {
    stoppers.emplace_back([&consumer] { consumer->Stop(); });
  }
  for (std::thread& stopper : stoppers) stopper.join();
}

}  // namespace auren::app
