// The group committer: many waiting requests, few transactions.
//
// A request submits its deliveries and waits. A writer takes all that wait (bounded in rows and
// bytes), stores them in one transaction and answers them all; while it commits, the next group
// forms by itself. There is no timer: light load adds no latency, heavy load pays one fsync for
// hundreds of deliveries.
//
// The promises:
// - Answer kDone means committed. Nothing is answered kDone that is not.
// - Every queue has a bound; a full one refuses at once (kQueueFull).
// - A request whose deadline passes gets kDeadline or kUnavailable: nobody knows, send it again
// with
//   the same id. Deliveries nobody waits for any more are dropped before they are sent.
// - A delivery that makes the server raise an error costs only itself: the batch is bisected.
// - Faults of the deployment stop the line: everything is refused until a probe succeeds.
// - Stop() answers everything that was accepted, then ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingest/database.h"
#include "ingest/sink.h"
#include "ops/progress.h"

namespace auren::ingest {

class Committer : public Sink {
 public:
  struct Options {
    int writers = 2;
    std::int64_t max_deliveries = 512;  // accepted and not yet answered, all requests together
    std::int64_t max_bytes = 64 << 20;
    std::size_t batch_deliveries = 512;
    std::int64_t batch_bytes = 4 << 20;
    std::chrono::milliseconds backoff_first{50}, backoff_most{2000};
    int breaker_failures = 5;  // in a row, then requests are refused at once
  };

  // What happens inside, for metrics. Called from writer threads; must not block.
  struct Observer {
    std::function<void(double seconds)> waited;         // a request, in the queue
    std::function<void(std::size_t deliveries)> batch;  // sent as one transaction
    std::function<void(double seconds, bool committed)> transaction;
    // What was committed, also if nobody waits for the answer any more.
    std::function<void(const Delivery&, const Outcome&)> outcome;
  };

  enum class Breaker { kClosed, kOpen };
  struct Health {
    Breaker breaker = Breaker::kClosed;
    bool stopped = false;  // a deployment's fault stops the line
    std::string sqlstate, message;
  };

  using DatabaseFactory = std::function<std::unique_ptr<Database>()>;

  // `progress`, if there is one, hears of each writer; it outlives the committer.
  Committer(Options options, const DatabaseFactory& factory, Observer observer,
            ops::Progress* progress = nullptr);
  ~Committer() override;  // Stop()
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  Answer Submit(std::vector<Delivery> deliveries, Clock::time_point deadline) override;

  // Refuses new requests, answers all accepted ones (by their deadlines), ends the writers.
  // Idempotent.
  void Stop();

  Health health() const;
  std::int64_t queued_deliveries() const;

 private:
  struct Request;
  using RequestPtr = std::shared_ptr<Request>;
  struct Item {
    RequestPtr request;
    std::size_t index;  // of the delivery in its request
  };
  using Items = std::vector<Item>;
  using Lock = std::unique_lock<std::mutex>;

  // A writer's life: take a group and commit it, or probe while the line is closed.
  void Write(Database& database, ops::Beat* beat);
  std::vector<RequestPtr> Take(const Lock& lock);
  void Commit(Database& database, const std::vector<RequestPtr>& requests);
  // Sends the items until each of them has its answer: retries, halves, bisects.
  void Run(Database& database, Items items);
  void RunHalves(Database& database, const Items& items);
  void Probe(Database& database);
  BatchResult Send(Database& database, const Items& items);

  void DropUnwanted(Items* items);  // whose requester gave up or whose deadline passed
  void Deliver(const Items& items, const std::vector<Outcome>& outcomes);
  void Refuse(const Items& items, Answer::Kind kind);
  void Finish(Request& request, Answer::Kind kind, const Lock& lock);

  void Succeeded();
  void Failed(const BatchResult& result, bool stop);
  std::chrono::milliseconds Jittered(int attempt) const;
  bool Open(const Lock&) const { return health_.stopped || health_.breaker == Breaker::kOpen; }

  const Options options_;
  const Observer observer_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // work arrived, the line opened or closed, or the end
  std::deque<RequestPtr> queue_;
  std::int64_t deliveries_ = 0;  // accepted, not yet answered
  std::int64_t bytes_ = 0;
  bool stopping_ = false;
  bool probing_ = false;
  int failures_ = 0;  // in a row
  Clock::time_point probe_at_{};
  Health health_;

  std::mutex joining_;
  std::vector<std::thread> writers_;
};

}  // namespace auren::ingest
