#include "app/keeper.h"

#include <pthread.h>

#include "ops/log.h"

namespace auren::app {
namespace {

using Check = ops::Readiness::Check;
using postgres::Param;
using postgres::Result;

constexpr std::chrono::seconds kLongestSilence{20};

}  // namespace

Keeper::Keeper(const CurrentConfig* config, ingest::Committer* committer, ops::Metrics* metrics,
               ops::Readiness* readiness, ops::Progress* progress)
    : config_(config),
      missing_(config->get()->ingest.mode == "kafka" ? Check::kDegraded : Check::kDown),
      committer_(committer),
      metrics_(metrics),
      readiness_(readiness),
      watch_(config->get()->postgres.url, "keeper"),
      refresh_(config->get()->postgres.url, "analytics"),
      beat_(progress->Add("keeper", kLongestSilence)) {
  readiness_->Set("postgres", missing_, "not looked at yet");
  readiness_->Set("extension", missing_, "not looked at yet");
  readiness_->Set("config", Check::kOk, "");
  watcher_ = std::thread([this] { Watch(); });
  refresher_ = std::thread([this] { Refresh(); });
}

Keeper::~Keeper() { Stop(); }

void Keeper::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  if (refresher_.joinable()) refresher_.join();
}

bool Keeper::Wait(double seconds) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return stopping_; });
  return !stopping_;
}

Result Keeper::Ask(const std::string& sql, const std::vector<Param>& params) {
  const ops::Pause pause(&beat_);
  return watch_.Execute(sql, params);
}

void Keeper::Watch() {
  pthread_setname_np(pthread_self(), "keeper");
  do {
    beat_.Tick();
    const bool usable = CheckPostgres() && CheckExtension();
    CheckIngest();
    if (usable) {
      ApplyThresholds();
      ReadGauges();
    }
    {
      const std::lock_guard lock(mutex_);
      usable_ = usable;
    }
    looked_ = true;
  } while (Wait(readiness_->ready() ? 1.0 : 0.25));
  beat_.Wait();
}

void Keeper::Refresh() {
  pthread_setname_np(pthread_self(), "analytics");
  while (Wait(0.5)) {
    {
      const std::lock_guard lock(mutex_);
      if (!usable_) continue;
    }
    // A refresh after a long pause may take longer than any other statement of ours may.
    refresh_.SetPatience(std::chrono::milliseconds(0));
    refresh_.Execute("SET statement_timeout = 0");
    const Clock::time_point start = Clock::now();
    const Result result = refresh_.Execute("SELECT analytics.refresh_user_metrics()");
    if (!result.ok()) {
      ops::log::Warn("analytics", "the daily metrics were not refreshed",
                     {{"sqlstate", result.error().sqlstate}, {"error", result.error().message}});
      if (!Wait(30)) return;
      continue;
    }
    ops::log::Debug(
        "analytics", "daily metrics refreshed",
        {{"groups", result.Get(0, 0)},
         {"duration_ms", std::chrono::duration<double>(Clock::now() - start).count() * 1000}});
    if (!Wait(config_->get()->analytics.refresh_interval_seconds)) return;
  }
}

bool Keeper::CheckPostgres() {
  const Result result = Ask("SELECT 1");
  if (result.ok()) {
    readiness_->Set("postgres", Check::kOk, "");
    return true;
  }
  readiness_->Set("postgres", missing_, result.error().message);
  readiness_->Set("extension", missing_, "unknown while PostgreSQL is away");
  thresholds_done_.clear();  // it may come back as another database, or restored from a backup
  return false;
}

bool Keeper::CheckExtension() {
  // Extension and worker are released together: the worker needs at least its own version.
  const Result result =
      Ask("SELECT extversion, string_to_array(extversion, '.')::int[] >= string_to_array($1, "
          "'.')::int[]"
          " FROM pg_catalog.pg_extension WHERE extname = 'auren'",
          {Param::Text(AUREN_VERSION)});
  if (!result.ok()) {
    readiness_->Set("extension", missing_, result.error().message);
    return false;
  }
  if (result.rows() == 0) {
    readiness_->Set("extension", missing_,
                    "not in this database; an administrator runs: CREATE EXTENSION auren");
    return false;
  }
  if (result.Get(0, 1) != "t") {
    readiness_->Set("extension", missing_,
                    "version " + std::string(result.Get(0, 0)) + " is older than this worker (" +
                        AUREN_VERSION + "); an administrator runs: ALTER EXTENSION auren UPDATE");
    return false;
  }
  readiness_->Set("extension", Check::kOk, "version " + std::string(result.Get(0, 0)));
  return true;
}

void Keeper::CheckIngest() {
  if (committer_ == nullptr) return;
  const ingest::Committer::Health health = committer_->health();
  const bool open = health.breaker == ingest::Committer::Breaker::kOpen;
  metrics_->Breaker("postgres", open ? 1 : 0);
  if (health.stopped) {
    readiness_->Set("ingest", Check::kDown,
                    "stopped by SQLSTATE " + health.sqlstate + ": " + health.message);
  } else if (open) {
    readiness_->Set("ingest", Check::kDown, "breaker open: " + health.message);
  } else {
    readiness_->Set("ingest", Check::kOk, "");
  }
}

void Keeper::ApplyThresholds() {
  const ConfigPtr config = config_->get();
  const std::string& sha256 = config->thresholds_sha256;
  if (sha256.empty() || sha256 == thresholds_done_) return;
  const Result stored = Ask("SELECT neuros.config_file_sha256()");
  if (!stored.ok()) return;  // the next round finds out why
  if (stored.Get(0, 0) != sha256) {
    const Result result = Ask("SELECT neuros.configure($1::text::jsonb, $2)",
                              {Param::Text(config->thresholds_json), Param::Text(sha256)});
    if (!result.ok()) {
      readiness_->Set("config", Check::kDegraded,
                      config->thresholds_file + " was not applied: " + result.error().message);
      return;
    }
    ops::log::Info("config", "thresholds applied",
                   {{"file", config->thresholds_file}, {"version", result.Get(0, 0)}});
  }
  thresholds_done_ = sha256;
  readiness_->Set("config", Check::kOk, "");
}

void Keeper::ReadGauges() {
  if (Clock::now() < gauges_at_) return;
  gauges_at_ = Clock::now() + std::chrono::seconds(15);
  const Result users =
      Ask("SELECT m.mode, count(u.user_id) FROM neuros.modes m"
          " LEFT JOIN neuros.user_modes u ON u.current_mode = m.mode GROUP BY 1");
  for (int row = 0; row < users.rows(); ++row) {
    metrics_->Users(std::string(users.Get(row, 0)), users.Number<double>(row, 1));
  }
  // Counting a large table would cost more than the number is worth: the planner's estimate does.
  const Result store =
      Ask("SELECT greatest(reltuples, 0), pg_catalog.pg_total_relation_size(oid)"
          " FROM pg_catalog.pg_class WHERE oid = 'events.event_store'::regclass");
  if (store.rows() == 1) {
    metrics_->EventStore(store.Number<double>(0, 0), store.Number<double>(0, 1));
  }
}

}  // namespace auren::app
