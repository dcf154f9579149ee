#include "app/reloader.h"

#include <utility>

#include "app/config_changes.h"
#include "app/load_config.h"
#include "app/restart_keys.h"
#include "ops/log.h"

namespace auren::app {
namespace {

void Log(const ConfigChange& change) {
  using Kind = ConfigChange::Kind;
  switch (change.kind) {
    case Kind::kKey:
      ops::log::Info("config", "key changed",
                     {{"key", change.name},
                      {"from", change.from},
                      {"to", change.to},
                      {"applies", change.at_restart ? "at restart" : "now"}});
      break;
    case Kind::kDeviceAdded:
      ops::log::Info("config", "device file added", {{"provider", change.name}});
      break;
    case Kind::kDeviceChanged:
      ops::log::Info("config", "device file changed", {{"provider", change.name}});
      break;
    case Kind::kDeviceRemoved:
      ops::log::Info("config", "device file removed", {{"provider", change.name}});
      break;
    case Kind::kThresholds:
      ops::log::Info(
          "config", "thresholds file changed",
          {{"file", change.name}, {"from_sha256", change.from}, {"to_sha256", change.to}});
      break;
  }
}

}  // namespace

void ApplyToProcess(const config::Config& config, http::Server* server) {
  ops::log::SetLevel(config.log.level);
  ops::log::SetUserHashKey(config.log.user_hash_key);
  std::string bad;
  const auto proxies = http::TrustedProxies::Parse(config.http.trusted_proxies, &bad);
  if (!proxies) {
    ops::log::Error("config", "http.trusted_proxies: not an address or CIDR; none is trusted",
                    {{"value", bad}});
  }
  server->SetTrustedProxies(
      std::make_shared<const http::TrustedProxies>(proxies.value_or(http::TrustedProxies())));
}

Reloader::Reloader(config::Source source, config::Loaded loaded, CurrentConfig* current,
                   http::Server* server, ops::Metrics* metrics, ops::Notify* notify)
    : source_(std::move(source)),
      started_(loaded.config),
      loaded_(std::move(loaded)),
      current_(current),
      server_(server),
      metrics_(metrics),
      notify_(notify),
      watch_(Paths(*started_)) {}

void Reloader::ReloadIfChanged() {
  if (watch_.Changed()) Reload();
}

void Reloader::Reload() {
  notify_->Reloading();
  watch_.Changed();  // noted before anything is read: what changes meanwhile is seen the next time
  TryToReload();
  notify_->Ready();
}

void Reloader::TryToReload() {
  config::Loaded loaded = LoadConfig(source_);
  for (const std::string& warning : loaded.warnings) ops::log::Warn("config", warning);
  if (!loaded.config) {
    for (const std::string& error : loaded.errors) ops::log::Error("config", error);
    ops::log::Error("config", "not reloaded: the old configuration stays");
    metrics_->ConfigReloaded(false, restart_required_);
    return;
  }
  const std::string waiting = ChangedRestartKeys(*started_, *loaded.config);
  const std::vector<ConfigChange> changes = ConfigChanges(loaded_, loaded, waiting);
  for (const ConfigChange& change : changes) Log(change);
  restart_required_ = !waiting.empty();
  if (restart_required_) {
    ops::log::Warn("config", "some changed keys are read at start only", {{"keys", waiting}});
  }
  ApplyToProcess(*loaded.config, server_);
  current_->set(loaded.config);
  if (Paths(*loaded.config) != Paths(*loaded_.config)) watch_ = FileWatch(Paths(*loaded.config));
  metrics_->ConfigReloaded(true, restart_required_);
  ops::log::Info("config", "reloaded", {{"changes", static_cast<std::int64_t>(changes.size())}});
  loaded_ = std::move(loaded);
}

std::vector<std::string> Reloader::Paths(const config::Config& config) const {
  return {source_.file.empty() ? "config/auren.yaml" : source_.file, config.thresholds_file,
          config.devices_dir};
}

}  // namespace auren::app
