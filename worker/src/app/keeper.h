// What must be done again and again beside the requests: watch PostgreSQL and the extension for
// /ready, apply the thresholds file when it is new, refresh the daily metrics, read the gauges.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "app/current_config.h"
#include "ingest/committer.h"
#include "ops/metrics.h"
#include "ops/readiness.h"
#include "postgres/connection.h"

namespace auren::app {

class Keeper {
 public:
  Keeper(const CurrentConfig* config, ingest::Committer* committer, ops::Metrics* metrics,
         ops::Readiness* readiness);
  ~Keeper();  // Stop()
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  void Stop();

 private:
  using Clock = std::chrono::steady_clock;

  void Watch();               // a thread: readiness, thresholds, gauges, every second
  void Refresh();             // a thread: the daily metrics; may take long
  bool Wait(double seconds);  // false: stopping

  bool CheckPostgres();
  bool CheckExtension();
  void CheckIngest();
  void ApplyThresholds();
  void ReadGauges();

  const CurrentConfig* config_;
  ingest::Committer* committer_;
  ops::Metrics* metrics_;
  ops::Readiness* readiness_;
  postgres::Connection watch_, refresh_;
  std::string thresholds_done_;  // SHA-256 of the file last brought to the database
  Clock::time_point gauges_at_{};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, usable_ = false;
  std::thread watcher_, refresher_;
};

}  // namespace auren::app
