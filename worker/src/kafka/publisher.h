// Webhook deliveries into the topic: the Sink of ingest.mode kafka.
//
// The promises:
// - Outcome `queued` means: in the topic, acknowledged by all in-sync replicas. What is made of it
// is
//   the consumer's to say.
// - What only the database can tell (bridge.connections, a bound key's user where the vendor names
// its
//   own) is left to the consumer; what needs no database is rejected here: user_unresolved,
//   user_mismatch, too_large.
// - What is under way is bounded, in deliveries and bytes, until its report comes, also when nobody
//   waits for it any more.
// - After kDeadline and kBrokerUnavailable the record may still be stored: send it again with the
//   same id.
// - While the broker is away only one request at a time waits for it; the others are refused at
// once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ingest/sink.h"
#include "kafka/codec.h"
#include "kafka/producer.h"

namespace auren::kafka {

class Publisher : public ingest::Sink {
 public:
  struct Options {
    std::string topic;
    Format format = Format::kJson;
    std::int64_t max_deliveries = 512;  // under way, all requests together
    std::int64_t max_bytes = 64 << 20;
  };
  // For metrics: one record reported. Called from the producer's thread; must not block.
  using Observer = std::function<void(bool acknowledged)>;

  // `producer` outlives every Submit; reports may come after this is gone.
  Publisher(Producer* producer, Options options, Observer observer);

  ingest::Answer Submit(std::vector<ingest::Delivery> deliveries,
                        Clock::time_point deadline) override;

  std::int64_t under_way() const;  // deliveries

 private:
  struct Bounds;
  struct Request;

  // An outcome of its own, without the topic; empty: it is to be sent.
  static std::string WhyNot(const ingest::Delivery& delivery);
  void Send(const Record& record, std::size_t index, const std::shared_ptr<Request>& request);

  Producer* const producer_;
  const Options options_;
  const Observer observer_;
  const std::shared_ptr<Bounds> bounds_;
};

}  // namespace auren::kafka
