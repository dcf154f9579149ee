#include "app/serve.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>

#include "app/api.h"
#include "app/commands.h"
#include "app/kafka_bridge.h"
#include "app/keeper.h"
#include "app/load_config.h"
#include "app/outcome_metrics.h"
#include "app/reloader.h"
#include "app/restart_keys.h"
#include "app/webhooks.h"
#include "http/server.h"
#include "ingest/pg_database.h"
#include "ops/log.h"
#include "ops/metrics.h"
#include "ops/notify.h"
#include "ops/progress.h"
#include "ops/readiness.h"

namespace auren::app {
namespace {

constexpr int kApiConnections = 4;
constexpr std::chrono::seconds kLongestSilence{10};  // of the main loop: a reload is much faster

sigset_t Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

// The signal that came within `seconds`, or 0.
int AwaitSignal(double seconds) {
  const sigset_t set = Signals();
  timespec timeout{};
  timeout.tv_sec = static_cast<std::time_t>(seconds);
  timeout.tv_nsec = static_cast<long>((seconds - static_cast<double>(timeout.tv_sec)) * 1e9);
  const int signal = sigtimedwait(&set, nullptr, &timeout);
  return signal > 0 ? signal : 0;
}

[[noreturn]] void Force() {
  ops::log::Error("app", "forced to stop by a second signal");
  _exit(kExitForced);
}

ingest::Committer::Options CommitterOptions(const config::Config& config) {
  ingest::Committer::Options options;
  options.writers = config.postgres.writers;
  options.max_deliveries = config.ingest.max_concurrent_events;
  options.max_bytes = config.ingest.max_queue_bytes;
  options.batch_deliveries = static_cast<std::size_t>(config.ingest.max_batch_deliveries);
  options.batch_bytes = config.ingest.max_batch_bytes;
  return options;
}

ingest::Committer::Observer Observe(ops::Metrics* metrics) {
  ingest::Committer::Observer observer;
  observer.waited = [metrics](double seconds) { metrics->QueueWaited(seconds); };
  observer.batch = [metrics](std::size_t deliveries) {
    metrics->BatchSent(static_cast<double>(deliveries));
  };
  observer.transaction = [metrics](double seconds, bool committed) {
    if (committed) metrics->TransactionTook(seconds);
  };
  observer.outcome = [metrics](const ingest::Delivery& delivery, const ingest::Outcome& outcome) {
    CountOutcome(metrics, delivery.source, outcome);
  };
  return observer;
}

http::ServerOptions HttpOptions(const config::Config& config, http::TlsContext tls) {
  http::ServerOptions options;
  options.host = config.http.listen.host;
  options.port = config.http.listen.port;
  options.threads = config.http.threads;
  options.max_body_bytes = config.ingest.max_queue_bytes;
  options.tls = std::move(tls);
  return options;
}

http::ServerOptions OpsOptions(const config::Config& config) {
  http::ServerOptions options;
  options.name = "ops";
  options.host = config.ops.listen.host;
  options.port = config.ops.listen.port;
  options.threads = 4;
  options.max_per_address = 4;
  return options;
}

void AddOpsRoutes(http::Router* router, const ops::Metrics* metrics,
                  const ops::Readiness* readiness, const ops::Progress* progress) {
  router->Add("GET|HEAD", "/health", [progress](http::Request&) {
    http::Response response;
    response.body = "{\"status\":\"ok\"}\n";
    if (const std::string silent = progress->Silent(); !silent.empty()) {
      response.status = 503;
      response.body = R"({"status":"silent","thread":")" + silent + "\"}\n";
    }
    return response;
  });
  router->Add("GET|HEAD", "/ready", [readiness](http::Request&) {
    const ops::Readiness::Answer answer = readiness->answer();
    http::Response response;
    response.status = answer.status;
    response.body = answer.body;
    return response;
  });
  router->Add("GET|HEAD", "/metrics", [metrics](http::Request&) {
    http::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics->Expose();
    return response;
  });
}

bool Listen(http::Server* server, const char* component, const config::HostPort& listen) {
  std::string error;
  if (!server->Start(&error)) {
    ops::log::Error(component, "cannot listen",
                    {{"host", listen.host}, {"port", int{listen.port}}, {"error", error}});
    return false;
  }
  ops::log::Info(component, "listening", {{"host", listen.host}, {"port", int{server->port()}}});
  return true;
}

void BlockSignals() {
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE,
              SIG_IGN);  // NOLINT(bugprone-signal-handler): a broken peer is an error value
}

}  // namespace

int Serve(const config::Source& source, const config::Loaded& loaded) {
  BlockSignals();
  CurrentConfig current(loaded.config);
  const ConfigPtr config = loaded.config;
  ops::log::SetLevel(config->log.level);
  ops::log::SetUserHashKey(config->log.user_hash_key);
  for (const std::string& warning : loaded.warnings) ops::log::Warn("config", warning);

  http::TlsContext tls;
  if (!config->http.tls.cert_file.empty()) {
    std::string error;
    tls = http::MakeTlsContext(config->http.tls.cert_file, config->http.tls.key_file,
                               config->http.tls.min_version, &error);
    if (!tls) {
      ops::log::Error("http", error);
      return kExitConfig;
    }
  }

  // Ops first and last: whoever watches sees the start and the end. Then what requests need, then
  // the port that lets them in. Destruction is the same backwards.
  ops::Metrics metrics(AUREN_VERSION, config->kafka.topic);
  ops::Readiness readiness;
  ops::Progress progress;
  ops::Notify notify(source.environment);
  ops::Beat beat = progress.Add("main", kLongestSilence);
  http::Router ops_router;
  AddOpsRoutes(&ops_router, &metrics, &readiness, &progress);
  http::Server ops_server(OpsOptions(*config),
                          [&](http::Request& request) { return ops_router.Dispatch(request); });

  const bool serves_http = HasRole(*config, "http");
  // Webhooks go into PostgreSQL or into the topic, never into both.
  KafkaBridge kafka_bridge(*config, &metrics, &readiness, &progress);
  std::unique_ptr<ingest::Committer> committer;
  if (serves_http && config->ingest.mode == "direct") {
    committer = std::make_unique<ingest::Committer>(
        CommitterOptions(*config),
        [url = config->postgres.url] {
          return std::make_unique<ingest::PgDatabase>(url, "ingest");
        },
        Observe(&metrics), &progress);
  }
  ingest::Sink* const sink = committer ? committer.get() : kafka_bridge.sink();
  postgres::Pool pool(config->postgres.url, "api", kApiConnections);
  http::RateLimiter limiter;
  Keeper keeper(&current, committer.get(), &metrics, &readiness, &progress);

  Webhooks webhooks(&current, sink, &pool, &limiter, &metrics);
  ApiKeys api_keys(&current, &pool, &limiter);
  Api api(&current, &pool, &api_keys);
  http::Router router;
  router.set_observer(
      [&](const std::string& route, const std::string& method, int status, double seconds) {
        // A method is the client's word; only the known ones may become labels.
        const bool known = method == "GET" || method == "POST" || method == "HEAD";
        metrics.EndpointAnswered(route, known ? method : "other", status, seconds);
      });
  webhooks.AddTo(&router);
  api.AddTo(&router);
  http::Server http_server(HttpOptions(*config, tls),
                           [&](http::Request& request) { return router.Dispatch(request); });

  if (!Listen(&ops_server, "ops", config->ops.listen)) return kExitUnavailable;
  ApplyToProcess(*config, &http_server);
  if (serves_http && !Listen(&http_server, "http", config->http.listen)) return kExitUnavailable;

  kafka_bridge.Start(serves_http ? http_server.port() : ops_server.port());

  Reloader reloader(source, loaded, &current, &http_server, &metrics, &notify);
  // This loop hears of the others, and the supervisor of all: if it hangs itself, nothing is said.
  const auto await = [&](double seconds) {
    beat.Tick();
    const std::string silent = progress.Silent();
    notify.Tick(silent.empty() ? readiness.line() : "hangs: " + silent, silent.empty());
    return AwaitSignal(std::min(seconds, notify.patience()));
  };
  bool looked = false;
  for (;;) {
    const int signal = await(looked ? 1 : 0.02);
    if (!looked && keeper.has_looked()) {
      looked = true;
      notify.Ready();
    }
    if (signal == SIGTERM || signal == SIGINT) break;
    kafka_bridge.Report();
    if (signal == SIGHUP) {
      reloader.Reload();
    } else {
      reloader.ReloadIfChanged();
    }
  }

  readiness.Stopping();
  notify.Stopping();
  const double drain = current.get()->http.drain_seconds;
  ops::log::Info("app", "stopping: not ready, still accepting", {{"drain_seconds", drain}});
  const auto drained = std::chrono::steady_clock::now() + std::chrono::duration<double>(drain);
  const auto left = [&] {
    return std::chrono::duration<double>(drained - std::chrono::steady_clock::now()).count();
  };
  while (left() > 0) {
    const int signal = await(left());
    if (signal == SIGTERM || signal == SIGINT) Force();
  }
  std::atomic<bool> stopped{false};
  std::thread stopper([&] {
    http_server.Stop();  // answers every request that has begun; the sink still works for them
    if (committer) committer->Stop();
    kafka_bridge.Stop();
    keeper.Stop();
    ops_server.Stop();
    stopped = true;
  });
  while (!stopped) {
    const int signal = await(0.02);
    if (signal == SIGTERM || signal == SIGINT) Force();
  }
  stopper.join();
  ops::log::Info("app", "stopped");
  return 0;
}

}  // namespace auren::app
