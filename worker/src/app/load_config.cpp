#include "app/load_config.h"

#include <algorithm>
#include <ostream>
#include <utility>

namespace auren::app {

config::Loaded LoadConfig(const config::Source& source) {
  config::Loaded loaded = config::Load(source);
  if (!loaded.config) return loaded;
  for (std::string& error : kafka::CheckProperties(loaded.config->kafka.properties)) {
    loaded.errors.push_back(std::move(error));
  }
  if (!loaded.errors.empty()) loaded.config = nullptr;
  return loaded;
}

config::Loaded LoadForKafka(const config::Source& source, std::ostream& err) {
  config::Loaded loaded = LoadConfig(source);
  if (loaded.config && loaded.config->kafka.bootstrap_servers.empty()) {
    loaded.errors.emplace_back("kafka.bootstrap_servers is empty: there is no cluster to ask");
    loaded.config = nullptr;
  }
  for (const std::string& warning : loaded.warnings) err << "warning: " << warning << "\n";
  for (const std::string& error : loaded.errors) err << error << "\n";
  return loaded;
}

bool HasRole(const config::Config& config, std::string_view role) {
  return std::find(config.roles.begin(), config.roles.end(), role) != config.roles.end();
}

kafka::Settings KafkaSettings(const config::Config& config) {
  kafka::Settings settings;
  settings.bootstrap_servers = config.kafka.bootstrap_servers;
  settings.properties = config.kafka.properties;
  return settings;
}

}  // namespace auren::app
