// Dead letters of Kafka records, copied to a topic: key, value and headers as they came, and why
// they were refused in the headers Kafka Connect gives its dead letters, so that its tools read
// them. The table stays the truth; the topic is for those who live in Kafka.
//
// At least once: a letter's copies are equal by auren.dlq.id. One mirror among all workers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kafka/flight.h"
#include "kafka/producer.h"
#include "kafka/single.h"
#include "ops/metrics.h"
#include "ops/progress.h"
#include "ops/readiness.h"

namespace auren::kafka {

// A row of bridge.dead_letters.
struct MirroredLetter {
  std::int64_t id = 0, offset = 0;
  std::int32_t partition = 0;
  std::string topic, reason, detail, sqlstate, attempts;
  std::string first_seen;          // RFC 3339
  std::int64_t first_seen_ms = 0;  // Unix time
  std::optional<std::string> key, value;
  std::vector<Header> headers;
};

// How much of a letter fits into a record: what a smaller record cannot hold stays in the table,
// and `auren_truncated: too_large` says so.
enum class Copy { kWhole, kWithoutValue, kReasonOnly };
Record ToRecord(const MirroredLetter& letter, const std::string& topic, const std::string& group,
                Copy copy);

class Mirror {
 public:
  struct Options {
    std::string postgres_url;
    std::string topic;       // kafka.dlq_topic
    std::string group;       // kafka.group_id, for __connect.errors.connector.name
    int page_letters = 500;  // read at once, and below in bytes of values
    std::int64_t page_bytes = 2 << 20;
    std::chrono::milliseconds pause{500};      // when there is nothing
    std::chrono::milliseconds patience{5000};  // of Stop
  };

  // As the outbox's: a producer that does not give up by itself, and outlives this.
  Mirror(Options options, Producer* producer, ops::Metrics* metrics, ops::Readiness* readiness,
         ops::Beat beat = {});
  ~Mirror();  // Stop()
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  void Stop();

 private:
  void Run();
  void Step();
  bool Settle();  // marks what was acknowledged; true: something was
  bool Read();    // a page, and sends it; true: there was something
  bool ReadHeaders(std::vector<MirroredLetter>* letters);
  bool Publish(const MirroredLetter& letter);
  void Fail(const std::string& why);
  void Say();

  const Options options_;
  Producer* producer_;
  ops::Metrics* metrics_;
  ops::Readiness* readiness_;
  ops::Beat beat_;
  const std::shared_ptr<Bell> bell_;
  const std::shared_ptr<Flight> flight_;
  Single single_;
  std::vector<std::int64_t> acknowledged_;  // ids to be marked
  std::map<std::int64_t, Copy> smaller_;    // letters that did not fit whole
  std::string trouble_;
  std::thread thread_;
};

}  // namespace auren::kafka
