#include "app/restart_keys.h"

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
  note(started.kafka.bootstrap_servers != now.kafka.bootstrap_servers, "kafka.bootstrap_servers");
  note(started.kafka.topic != now.kafka.topic, "kafka.topic");
  note(started.kafka.dlq_topic != now.kafka.dlq_topic, "kafka.dlq_topic");
  note(started.kafka.group_id != now.kafka.group_id, "kafka.group_id");
  note(started.kafka.instance_id != now.kafka.instance_id, "kafka.instance_id");
  note(started.kafka.consumers != now.kafka.consumers, "kafka.consumers");
  note(started.kafka.format != now.kafka.format, "kafka.format");
  note(started.kafka.properties != now.kafka.properties, "kafka.properties");
  note(started.outbox.enabled != now.outbox.enabled, "outbox.enabled");
  note(started.outbox.topic != now.outbox.topic, "outbox.topic");
  note(started.outbox.categories != now.outbox.categories, "outbox.categories");
  return keys;
}

}  // namespace auren::app
