#include "app/kafka_bridge.h"

#include <algorithm>

#include "app/load_config.h"

namespace auren::app {
namespace {

constexpr std::chrono::milliseconds kProducerPatience{5000};

// Its bounds lie above the publisher's, which are those of ingest: a request larger than all of it
// is let in alone.
kafka::Producer::Options ProducerOptions(const config::Config& config) {
  kafka::Producer::Options options;
  options.queue_messages = std::max(options.queue_messages, config.ingest.max_concurrent_events);
  options.queue_kilobytes =
      static_cast<int>(std::min<std::int64_t>(config.ingest.max_queue_bytes / 512, INT32_MAX));
  return options;
}

kafka::Publisher::Options PublisherOptions(const config::Config& config) {
  kafka::Publisher::Options options;
  options.topic = config.kafka.topic;
  options.format =
      config.kafka.format == "protobuf" ? kafka::Format::kProtobuf : kafka::Format::kJson;
  options.max_deliveries = config.ingest.max_concurrent_events;
  options.max_bytes = config.ingest.max_queue_bytes;
  return options;
}

}  // namespace

KafkaBridge::KafkaBridge(const config::Config& config, ops::Metrics* metrics,
                         ops::Readiness* readiness, ops::Progress* progress)
    : config_(config),
      metrics_(metrics),
      readiness_(readiness),
      progress_(progress),
      is_the_way_in_(config.ingest.mode == "kafka") {
  if (!is_the_way_in_) return;
  watch_ = std::make_unique<KafkaWatch>(KafkaSettings(config), config.kafka.topic, readiness);
  if (!HasRole(config, "http")) return;
  producer_ = std::make_unique<kafka::Producer>(KafkaSettings(config), ProducerOptions(config));
  publisher_ = std::make_unique<kafka::Publisher>(
      producer_.get(), PublisherOptions(config),
      [metrics, topic = config.kafka.topic](bool acknowledged) {
        metrics->KafkaSent(topic, acknowledged ? "acknowledged" : "failed", 1);
      });
}

KafkaBridge::~KafkaBridge() { Stop(); }

void KafkaBridge::Start(int port) {
  if (is_the_way_in_ && HasRole(config_, "ingest")) {
    consumers_ = std::make_unique<Consumers>(config_, port, metrics_, readiness_, progress_);
  }
  out_ = std::make_unique<KafkaOut>(config_, metrics_, readiness_, progress_);
}

void KafkaBridge::Report() {
  if (consumers_) consumers_->Report();
  std::string why;
  if (producer_) metrics_->Breaker("kafka", producer_->away(&why) ? 1 : 0);
}

void KafkaBridge::Stop() {
  // What is left in it was answered 503: sent if the broker is there, else forgotten.
  if (producer_) producer_->Stop(kProducerPatience);
  if (consumers_) consumers_->Stop();
  if (out_) out_->Stop();
  if (watch_) watch_->Stop();
}

}  // namespace auren::app
