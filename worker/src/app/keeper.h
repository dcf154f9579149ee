// What must be done again and again beside the requests: watch PostgreSQL and the extension for
// /ready, apply the thresholds file when it is new, refresh the daily metrics, read the gauges.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "app/current_config.h"
#include "ingest/committer.h"
#include "ops/metrics.h"
#include "ops/progress.h"
#include "ops/readiness.h"
#include "postgres/connection.h"

namespace auren::app {

class Keeper {
 public:
  // `committer` nullptr: none, deliveries go elsewhere. With ingest.mode kafka the topic buffers
  // what comes while PostgreSQL is away: `postgres` and `extension` are then degraded, not down.
  Keeper(const CurrentConfig* config, ingest::Committer* committer, ops::Metrics* metrics,
         ops::Readiness* readiness, ops::Progress* progress);
  ~Keeper();  // Stop()
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  void Stop();

  // Whether the dependencies have been looked at once, whatever was found.
  bool has_looked() const { return looked_; }

 private:
  using Clock = std::chrono::steady_clock;

  void Watch();               // a thread: readiness, thresholds, gauges, every second
  void Refresh();             // a thread: the daily metrics; may take long, and has no beat
  bool Wait(double seconds);  // false: stopping
  // The watching thread asks PostgreSQL.
  postgres::Result Ask(const std::string& sql, const std::vector<postgres::Param>& params = {});

  bool CheckPostgres();
  bool CheckExtension();
  void CheckIngest();
  void ApplyThresholds();
  void ReadGauges();

  const CurrentConfig* config_;
  const ops::Readiness::Check missing_;  // how it counts that PostgreSQL cannot be used
  ingest::Committer* committer_;
  ops::Metrics* metrics_;
  ops::Readiness* readiness_;
  postgres::Connection watch_, refresh_;
  ops::Beat beat_;  // the watching thread's
  std::atomic<bool> looked_{false};
  std::string thresholds_done_;  // SHA-256 of the file last brought to the database
  Clock::time_point gauges_at_{};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, usable_ = false;
  std::thread watcher_, refresher_;
};

}  // namespace auren::app
