// Where the webhook flow hands its deliveries to: PostgreSQL (Committer) or a Kafka topic
// (kafka::Publisher). Either way an answer is given only for what is durable.
#pragma once

#include <chrono>
#include <vector>

#include "ingest/delivery.h"
#include "ingest/outcome.h"

namespace auren::ingest {

struct Answer {
  enum class Kind {
    kDone,               // `outcomes` holds one for each delivery
    kQueueFull,          // too much is waiting
    kDeadline,           // not known in time
    kUnavailable,        // PostgreSQL is away, or the line is stopped
    kBrokerUnavailable,  // the broker is away
  };
  Kind kind = Kind::kUnavailable;
  std::vector<Outcome> outcomes;
};

class Sink {
 public:
  using Clock = std::chrono::steady_clock;
  virtual ~Sink() = default;

  // Hands the deliveries over and waits for their outcome, at most until `deadline`. Thread safe.
  virtual Answer Submit(std::vector<Delivery> deliveries, Clock::time_point deadline) = 0;
};

}  // namespace auren::ingest
