// The outbox: events of PostgreSQL become records of a Kafka topic.
//
// - One publisher among all workers on the database (kafka/single.h); the others stand by.
// - Each category is followed by a subscription of the event store, so that no event is skipped,
//   however late its transaction commits. It is acknowledged only up to where the broker has
//   acknowledged every record.
// - A stream's events are published in order: one key, and an idempotent producer. When a record
//   fails, the rest of what is under way is waited for, and everything from the first
//   unacknowledged one on is read and sent again. So at least once; a duplicate has the same ce_id.
// - What lies in memory is bounded in records and bytes.
//
// docs/kafka.md is the manual for those who read the topic.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kafka/event_record.h"
#include "kafka/flight.h"
#include "kafka/producer.h"
#include "kafka/single.h"
#include "ops/metrics.h"
#include "ops/progress.h"
#include "ops/readiness.h"

namespace auren::kafka {

class Outbox {
 public:
  struct Options {
    std::string postgres_url;
    std::string topic;
    std::vector<std::string> categories;
    int page_events = 1000;  // read at once, and below in bytes of data
    std::int64_t page_bytes = 4 << 20;
    std::int64_t flight_bytes = 12 << 20;  // sent and not yet acknowledged, at which reading stops
    std::size_t flight_records = 20'000;
    std::chrono::milliseconds patience{5000};  // of Stop, for what is under way
  };

  // The producer must not give up records by itself (Options::timeout 0), else one that timed out
  // could be overtaken by its successor. It outlives the outbox.
  Outbox(Options options, Producer* producer, ops::Metrics* metrics, ops::Readiness* readiness,
         ops::Beat beat = {});
  ~Outbox();  // Stop()
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Reads no more, waits for what is under way, acknowledges it, lets the next one have the lock.
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;

  struct Line {
    std::string category, subscription;
    std::shared_ptr<Flight> flight;
    std::int64_t read_to = 0;       // while something is under way
    std::int64_t published_to = 0;  // to be acknowledged to the database; 0: nothing
    bool alone = false;  // an event that was parked comes alone: nothing is read behind it
    std::set<std::int64_t> too_large;  // the broker would not have them
  };

  void Run();
  void Finish();
  bool Prepare();           // subscriptions, the database's name
  void Step();              // as publisher
  bool Settle(Line* line);  // acknowledges; true: something was
  bool Read(Line* line);    // a page, and sends it; true: there was something
  bool Publish(Line* line, Event event);
  // Goes back to the checkpoint; not before a pause, unless `at_once`.
  void Rewind(const std::string& why, bool at_once);
  bool Rewound();  // whether reading may go on
  void Await();    // news, of the broker or of the database
  void Measure();
  void Say();  // readiness
  std::size_t UnderWay() const;

  const Options options_;
  Producer* producer_;
  ops::Metrics* metrics_;
  ops::Readiness* readiness_;
  ops::Beat beat_;
  const std::shared_ptr<Bell> bell_;
  Single single_;
  std::vector<Line> lines_;
  std::string source_;  // ce_source
  bool prepared_ = false;
  bool rewinding_ = false;  // nothing is read until all that is under way has been reported
  std::string trouble_;     // why it does not go on; empty: it does
  std::chrono::milliseconds backoff_{0};
  Clock::time_point resume_at_{};
  std::int64_t waited_to_ = 0;  // of wait_for_events
  Clock::time_point measure_at_{};
  bool behind_ = false;  // by the last measure
  std::chrono::system_clock::time_point caught_up_at_ = std::chrono::system_clock::now();
  std::thread thread_;
};

}  // namespace auren::kafka
