#include "app/kafka_out.h"

#include <string>
#include <utility>

#include "app/load_config.h"

namespace auren::app {
namespace {

// A turn of theirs is a few statements, each of which the server ends after 30 seconds.
constexpr std::chrono::seconds kLongestSilence{120};

}  // namespace

KafkaOut::KafkaOut(const config::Config& config, ops::Metrics* metrics, ops::Readiness* readiness,
                   ops::Progress* progress) {
  const bool outbox = HasRole(config, "outbox") && config.outbox.enabled;
  const bool mirror = HasRole(config, "ingest") && config.ingest.mode == "kafka";
  if (config.kafka.bootstrap_servers.empty() || (!outbox && !mirror)) return;

  kafka::Settings settings = KafkaSettings(config);
  settings.client_id = "auren-worker-out";
  kafka::Producer::Options options;
  options.linger_ms = 5;
  options.timeout = std::chrono::milliseconds(0);  // never
  producer_ = std::make_unique<kafka::Producer>(settings, options);

  if (outbox) {
    kafka::Outbox::Options out;
    out.postgres_url = config.postgres.url;
    out.topic = config.outbox.topic;
    out.categories = config.outbox.categories;
    outbox_ = std::make_unique<kafka::Outbox>(std::move(out), producer_.get(), metrics, readiness,
                                              progress->Add("outbox", kLongestSilence));
  }
  if (mirror) {
    kafka::Mirror::Options out;
    out.postgres_url = config.postgres.url;
    out.topic = config.kafka.dlq_topic;
    out.group = config.kafka.group_id;
    mirror_ = std::make_unique<kafka::Mirror>(std::move(out), producer_.get(), metrics, readiness,
                                              progress->Add("mirror", kLongestSilence));
  }
}

void KafkaOut::Stop() {
  if (outbox_) outbox_->Stop();
  if (mirror_) mirror_->Stop();
  if (producer_) producer_->Stop(std::chrono::milliseconds(0));  // they have waited
}

}  // namespace auren::app
