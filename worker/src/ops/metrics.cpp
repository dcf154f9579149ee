#include "ops/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

#include "ops/process_metrics.h"

namespace auren::ops {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets kSeconds = {.001, .0025, .005, .01, .025, .05, .1, .15, .25, .5, 1, 2.5, 5, 10};
const Buckets kDeliveries = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

prometheus::Counter& Single(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Gauge& SingleGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Histogram& SingleHistogram(prometheus::Registry& registry, const char* name,
                                       const char* help, const Buckets& buckets) {
  return BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}
auto& CounterFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry);
}
auto& GaugeFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry);
}
auto& HistogramFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildHistogram().Name(name).Help(help).Register(registry);
}

std::int64_t UnixMilliseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

const std::vector<std::string>& Metrics::WebhookStatuses() {
  static const std::vector<std::string> statuses = {
      "applied",   "duplicate",    "queued",    "ignored", "rejected",
      "malformed", "unauthorized", "too_large", "limited", "unavailable"};
  return statuses;
}

Metrics::Metrics(const std::string& version, const std::string& topic) {
  auto& r = registry_;
  webhook_events_ = &CounterFamily(r, "auren_webhook_events_total", "Webhook requests answered.");
  webhook_seconds_ = &HistogramFamily(r, "auren_webhook_process_duration_seconds",
                                      "From the whole head of a webhook request to its answer.");
  active_ = &SingleGauge(r, "auren_active_webhook_tasks", "Webhook requests being answered.");
  queue_wait_ = &SingleHistogram(r, "auren_ingest_queue_wait_seconds",
                                 "From submission to a writer taking the request.", kSeconds);
  batch_deliveries_ = &SingleHistogram(r, "auren_ingest_batch_deliveries",
                                       "Deliveries sent in one transaction.", kDeliveries);
  checkpoint_save_ = &SingleHistogram(r, "auren_checkpoint_save_seconds",
                                      "An ingest transaction, from BEGIN to COMMIT.", kSeconds);
  mode_switches_ =
      &CounterFamily(r, "auren_mode_switches_total", "Mode switches this worker committed.");
  users_ = &GaugeFamily(r, "auren_users", "Persons in each mode.");
  healthkit_samples_ = &Single(r, "auren_healthkit_samples_processed_total",
                               "Readings of HealthKit deliveries that were committed.");
  healthkit_seconds_ = &SingleHistogram(r, "auren_healthkit_batch_duration_seconds",
                                        "A HealthKit request that was committed.", kSeconds);
  anomalies_ = &CounterFamily(r, "auren_biometric_anomalies_detected_total", "Anomalous readings.");
  quality_ = &GaugeFamily(r, "auren_biometric_data_quality_score",
                          "Share of readings accepted in the newest delivery, 0 to 1.");
  dead_letters_ =
      &CounterFamily(r, "auren_dead_letters_total", "Bodies kept in bridge.dead_letters.");
  breaker_ = &GaugeFamily(r, "auren_breaker_state", "0 closed, 1 open.");
  endpoint_requests_ =
      &CounterFamily(r, "auren_endpoint_requests_total", "Requests by route template.");
  endpoint_seconds_ =
      &HistogramFamily(r, "auren_endpoint_duration_seconds", "Answers by route template.");
  reload_ok_ =
      &SingleGauge(r, "auren_config_last_reload_successful", "1 if the last (re)load was.");
  restart_required_ = &SingleGauge(r, "auren_config_restart_required",
                                   "1 while a changed key waits for a restart.");
  store_events_ = &SingleGauge(r, "auren_event_store_events", "Events in the store, estimated.");
  store_bytes_ = &SingleGauge(r, "auren_event_store_bytes", "Size of the store with its indexes.");

  // A family without children is not exposed: each gets the ones that can be known beforehand.
  for (const std::string& status : WebhookStatuses()) {
    webhook_events_->Add({{"device_type", "unknown"}, {"event_type", "other"}, {"status", status}});
  }
  webhook_seconds_->Add({{"device_type", "unknown"}}, kSeconds);
  mode_switches_->Add({{"from_mode", "baseline"}, {"to_mode", "reflex"}, {"trigger", "hrv_drop"}});
  for (const char* mode :
       {"reflex", "guardian", "hypothesis", "companion", "sentinel", "pattern", "baseline"}) {
    users_->Add({{"mode", mode}});
  }
  for (const char* type :
       {"hard_range", "soft_range", "z_score", "future", "unknown_metric", "unmapped_state"}) {
    anomalies_->Add({{"device_type", "unknown"}, {"anomaly_type", type}});
  }
  quality_->Add({{"device_type", "unknown"}});
  for (const char* reason :
       {"malformed", "wrong_shape", "unknown_content_type", "empty_value", "too_large",
        "invalid_name", "event_id_conflict", "no_usable_reading", "sql_error"}) {
    dead_letters_->Add({{"reason", reason}});
  }
  for (const char* dependency : {"postgres", "kafka"}) breaker_->Add({{"dependency", dependency}});
  endpoint_requests_->Add({{"endpoint", "other"}, {"method", "GET"}, {"status", "404"}});
  endpoint_seconds_->Add({{"endpoint", "other"}}, kSeconds);
  reload_ok_->Set(1);

  kafka_sent_ = &CounterFamily(r, "auren_kafka_messages_sent_total", "Records given to Kafka.");
  for (const char* status : {"acknowledged", "failed"}) {
    kafka_sent_->Add({{"topic", topic}, {"status", status}});
  }

  kafka_processed_ = &CounterFamily(r, "auren_kafka_messages_processed_total",
                                    "Records taken from Kafka into PostgreSQL.");
  for (const char* status : {"applied", "duplicate", "dead_letter"}) {
    kafka_processed_->Add({{"topic", topic}, {"status", status}});
  }
  kafka_lag_ = &GaugeFamily(r, "auren_kafka_consumer_lag_messages",
                            "Log end minus the offset in PostgreSQL.");
  kafka_lag_->Add({{"topic", topic}, {"partition", "0"}});
  kafka_fenced_ = &Single(r, "auren_kafka_fenced_total",
                          "Partitions lost in the middle of a batch to another worker.");
  outbox_lag_ =
      &SingleGauge(r, "auren_outbox_lag_seconds", "Age of the oldest event not yet published.");
  GaugeFamily(r, "auren_build_info", "Always 1.").Add({{"version", version}}).Set(1);
}

std::string Metrics::Expose() const {
  const std::int64_t since = outbox_since_ms_;
  const std::int64_t now = UnixMilliseconds(std::chrono::system_clock::now());
  outbox_lag_->Set(since == 0 ? 0
                              : static_cast<double>(std::max<std::int64_t>(now - since, 0)) / 1e3);
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  for (auto& family : CollectProcess()) families.push_back(std::move(family));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

void Metrics::WebhookAnswered(const std::string& device_type, const std::string& event_type,
                              const std::string& status, double seconds) {
  webhook_events_
      ->Add({{"device_type", device_type}, {"event_type", event_type}, {"status", status}})
      .Increment();
  webhook_seconds_->Add({{"device_type", device_type}}, kSeconds).Observe(seconds);
}

void Metrics::HealthkitBatch(double samples, double seconds) {
  healthkit_samples_->Increment(samples);
  healthkit_seconds_->Observe(seconds);
}

void Metrics::EndpointAnswered(const std::string& endpoint, const std::string& method, int status,
                               double seconds) {
  endpoint_requests_
      ->Add({{"endpoint", endpoint}, {"method", method}, {"status", std::to_string(status)}})
      .Increment();
  endpoint_seconds_->Add({{"endpoint", endpoint}}, kSeconds).Observe(seconds);
}

void Metrics::ModeSwitched(const std::string& from, const std::string& to,
                           const std::string& trigger) {
  mode_switches_->Add({{"from_mode", from}, {"to_mode", to}, {"trigger", trigger}}).Increment();
}
void Metrics::Anomalies(const std::string& device_type, const std::string& type, double count) {
  anomalies_->Add({{"device_type", device_type}, {"anomaly_type", type}}).Increment(count);
}
void Metrics::Quality(const std::string& device_type, double score) {
  quality_->Add({{"device_type", device_type}}).Set(score);
}
void Metrics::DeadLetter(const std::string& reason) {
  dead_letters_->Add({{"reason", reason}}).Increment();
}
void Metrics::KafkaSent(const std::string& topic, const std::string& status, double count) {
  kafka_sent_->Add({{"topic", topic}, {"status", status}}).Increment(count);
}
void Metrics::Breaker(const std::string& dependency, double state) {
  breaker_->Add({{"dependency", dependency}}).Set(state);
}
void Metrics::OutboxBehindSince(std::optional<std::chrono::system_clock::time_point> since) {
  outbox_since_ms_ = since ? UnixMilliseconds(*since) : 0;
}
void Metrics::KafkaProcessed(const std::string& topic, const std::string& status) {
  kafka_processed_->Add({{"topic", topic}, {"status", status}}).Increment();
}
void Metrics::KafkaLag(const std::string& topic, int partition, double records) {
  kafka_lag_->Add({{"topic", topic}, {"partition", std::to_string(partition)}}).Set(records);
}
void Metrics::Users(const std::string& mode, double count) {
  users_->Add({{"mode", mode}}).Set(count);
}
void Metrics::EventStore(double events, double bytes) {
  store_events_->Set(events);
  store_bytes_->Set(bytes);
}
void Metrics::ConfigReloaded(bool ok, bool restart_required) {
  reload_ok_->Set(ok ? 1 : 0);
  restart_required_->Set(restart_required ? 1 : 0);
}

}  // namespace auren::ops
