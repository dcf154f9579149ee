// What this process sends to Kafka on its own: the outbox and the mirror of the dead letters, each
// when the configuration asks for it, with a producer of their own. Theirs keeps records until the
// broker is back; that of the webhooks gives up sooner than its clients do.
#pragma once

#include <memory>

#include "config/config.h"
#include "kafka/mirror.h"
#include "kafka/outbox.h"
#include "ops/metrics.h"
#include "ops/progress.h"
#include "ops/readiness.h"

namespace auren::app {

class KafkaOut {
 public:
  KafkaOut(const config::Config& config, ops::Metrics* metrics, ops::Readiness* readiness,
           ops::Progress* progress);

  // After the consumers, whose dead letters are still mirrored. Waits a few seconds at most for
  // what is under way.
  void Stop();

 private:
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<kafka::Outbox> outbox_;
  std::unique_ptr<kafka::Mirror> mirror_;
};

}  // namespace auren::app
