// The consumers of this process: made from the configuration, counted in the metrics, watched for
// /ready.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "kafka/consumer.h"
#include "ops/metrics.h"
#include "ops/progress.h"
#include "ops/readiness.h"

namespace auren::app {

// What names this worker in the group, and its offsets' owner: kafka.instance_id, else host name
// and port.
std::string InstanceId(const config::Config& config, int port);

class Consumers {
 public:
  // Starts kafka.consumers of them. `port`: one that this process listens on, for the default
  // instance id.
  Consumers(const config::Config& config, int port, ops::Metrics* metrics,
            ops::Readiness* readiness, ops::Progress* progress);

  // Says in /ready, as check `consumers`, what of them does not work. Called every second or so.
  void Report();
  // Lets what is under way end. Idempotent.
  void Stop();

 private:
  ops::Metrics* metrics_;
  ops::Readiness* readiness_;
  std::vector<std::unique_ptr<kafka::Consumer>> consumers_;
};

}  // namespace auren::app
