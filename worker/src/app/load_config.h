// The configuration, checked also by who config cannot know.
#pragma once

#include <iosfwd>

#include "config/config.h"
#include "kafka/client.h"

namespace auren::app {

// config::Load, then kafka.properties as librdkafka judges them. Never throws.
config::Loaded LoadConfig(const config::Source& source);

// The same for a command that needs a cluster; what is wrong is said on `err`, one line each.
config::Loaded LoadForKafka(const config::Source& source, std::ostream& err);

// Whether this process plays the role: http, ingest, outbox or fetch.
bool HasRole(const config::Config& config, std::string_view role);

// How every client of ours reaches the cluster.
kafka::Settings KafkaSettings(const config::Config& config);

}  // namespace auren::app
