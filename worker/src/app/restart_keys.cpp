#include "app/restart_keys.h"

#include <nlohmann/json.hpp>

namespace auren::app {

std::string ChangedRestartKeys(const config::Config& started, const config::Config& now) {
  std::string keys;
  const auto note = [&keys](bool changed, const char* key) {
    if (changed) keys += (keys.empty() ? "" : ", ") + std::string(key);
  };
  const auto differ = [](const config::HostPort& a, const config::HostPort& b) {
    return a.host != b.host || a.port != b.port;
  };
  note(started.roles != now.roles, "roles");
  note(differ(started.http.listen, now.http.listen), "http.listen");
  note(started.http.threads != now.http.threads, "http.threads");
  note(started.http.tls.cert_file != now.http.tls.cert_file, "http.tls.cert_file");
  note(started.http.tls.key_file != now.http.tls.key_file, "http.tls.key_file");
  note(started.http.tls.min_version != now.http.tls.min_version, "http.tls.min_version");
  note(differ(started.ops.listen, now.ops.listen), "ops.listen");
  note(started.postgres.url != now.postgres.url, "postgres.url");
  note(started.postgres.writers != now.postgres.writers, "postgres.writers");
  note(started.ingest.mode != now.ingest.mode, "ingest.mode");
  note(started.ingest.max_concurrent_events != now.ingest.max_concurrent_events,
       "ingest.max_concurrent_events");
  note(started.ingest.max_queue_bytes != now.ingest.max_queue_bytes, "ingest.max_queue_bytes");
  note(started.ingest.max_batch_deliveries != now.ingest.max_batch_deliveries,
       "ingest.max_batch_deliveries");
  note(started.ingest.max_batch_bytes != now.ingest.max_batch_bytes, "ingest.max_batch_bytes");
  return keys;
}

std::map<std::string, double> CountAnomalies(const std::string& json) {
  std::map<std::string, double> counts;
  if (json.empty()) return counts;
  const auto list = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return counts;
  for (const auto& anomaly : list) {
    if (!anomaly.is_object() || !anomaly.contains("type") || !anomaly["type"].is_string()) continue;
    const auto count = anomaly.find("count");
    counts[anomaly["type"].get<std::string>()] +=
        count != anomaly.end() && count->is_number() ? count->get<double>() : 1;
  }
  return counts;
}

}  // namespace auren::app
