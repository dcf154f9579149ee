// Reading the configuration anew while serving: on SIGHUP, and when any of its files changes.
#pragma once

#include <string>
#include <vector>

#include "app/current_config.h"
#include "app/file_watch.h"
#include "config/config.h"
#include "http/server.h"
#include "ops/metrics.h"
#include "ops/notify.h"

namespace auren::app {

// What of the configuration is not read anew by each request.
void ApplyToProcess(const config::Config& config, http::Server* server);

// Used by one thread, the one that owns `notify`.
class Reloader {
 public:
  // `loaded`: what the process was started with; it holds a config.
  Reloader(config::Source source, config::Loaded loaded, CurrentConfig* current,
           http::Server* server, ops::Metrics* metrics, ops::Notify* notify);

  void ReloadIfChanged();

  // All or nothing: with any error the old configuration stays, and the log says each error. Else
  // the log says each change, a secret as ***, and which keys wait for a restart.
  void Reload();

 private:
  void TryToReload();
  std::vector<std::string> Paths(const config::Config& config) const;

  const config::Source source_;
  const ConfigPtr started_;
  config::Loaded loaded_;  // what is in force
  CurrentConfig* current_;
  http::Server* server_;
  ops::Metrics* metrics_;
  ops::Notify* notify_;
  FileWatch watch_;
  bool restart_required_ = false;
};

}  // namespace auren::app
