// All that this process does with Kafka, by its configuration: webhooks into the topic, consumers
// out of it, events and dead letters to topics of their own. Nothing, when there is no Kafka.
#pragma once

#include <memory>

#include "app/consumers.h"
#include "app/kafka_out.h"
#include "app/kafka_watch.h"
#include "config/config.h"
#include "kafka/publisher.h"
#include "ops/metrics.h"
#include "ops/progress.h"
#include "ops/readiness.h"

namespace auren::app {

class KafkaBridge {
 public:
  // Makes what requests need. All arguments outlive it.
  KafkaBridge(const config::Config& config, ops::Metrics* metrics, ops::Readiness* readiness,
              ops::Progress* progress);
  ~KafkaBridge();  // Stop()
  KafkaBridge(const KafkaBridge&) = delete;
  KafkaBridge& operator=(const KafkaBridge&) = delete;

  // Where webhooks go; nullptr: not to Kafka.
  ingest::Sink* sink() { return publisher_.get(); }

  // Begins to consume and to publish, once this process listens on `port`.
  void Start(int port);
  // Says in /ready what does not work. Called every second or so.
  void Report();
  // In the order of the flow: the way in first. No request may be under way. Idempotent.
  void Stop();

 private:
  const config::Config& config_;
  ops::Metrics* metrics_;
  ops::Readiness* readiness_;
  ops::Progress* progress_;
  const bool is_the_way_in_;
  std::unique_ptr<KafkaWatch> watch_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<kafka::Publisher> publisher_;
  std::unique_ptr<Consumers> consumers_;
  std::unique_ptr<KafkaOut> out_;
};

}  // namespace auren::app
