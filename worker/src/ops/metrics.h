// Every metric of the worker (docs/METRICS_CATALOG.md). All families are there, with a value, from
// the first scrape. Labels come from closed lists; never a person, never a hash of one.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace auren::ops {

class Metrics {
 public:
  Metrics(const std::string& version, const std::string& topic);

  // The Prometheus text format, 0.0.4.
  std::string Expose() const;

  // One webhook answered; `status` is one of WebhookStatuses().
  void WebhookAnswered(const std::string& device_type, const std::string& event_type,
                       const std::string& status, double seconds);
  static const std::vector<std::string>& WebhookStatuses();
  void WebhookBegins() { active_->Increment(); }
  void WebhookEnds() { active_->Decrement(); }
  void HealthkitBatch(double samples, double seconds);

  void EndpointAnswered(const std::string& endpoint, const std::string& method, int status,
                        double seconds);

  void QueueWaited(double seconds) { queue_wait_->Observe(seconds); }
  void BatchSent(double deliveries) { batch_deliveries_->Observe(deliveries); }
  void TransactionTook(double seconds) { checkpoint_save_->Observe(seconds); }
  void ModeSwitched(const std::string& from, const std::string& to, const std::string& trigger);
  void Anomalies(const std::string& device_type, const std::string& type, double count);
  void Quality(const std::string& device_type, double score);
  void DeadLetter(const std::string& reason);
  // Records given to Kafka: `status` acknowledged, failed, or truncated (sent without its value).
  void KafkaSent(const std::string& topic, const std::string& status, double count);
  void Breaker(const std::string& dependency, double state);  // 0 closed, 1 open

  // When the oldest event was appended that the outbox has not published; nullopt: none. The lag is
  // reckoned from it at each scrape, so it grows while nobody says anything.
  void OutboxBehindSince(std::optional<std::chrono::system_clock::time_point> since);
  // Records taken from a topic: applied, duplicate or dead_letter.
  void KafkaProcessed(const std::string& topic, const std::string& status);
  void KafkaLag(const std::string& topic, int partition, double records);
  void KafkaFenced(double partitions) { kafka_fenced_->Increment(partitions); }

  void Users(const std::string& mode, double count);
  void EventStore(double events, double bytes);
  void ConfigReloaded(bool ok, bool restart_required);

 private:
  using Counters = prometheus::Family<prometheus::Counter>;
  using Gauges = prometheus::Family<prometheus::Gauge>;
  using Histograms = prometheus::Family<prometheus::Histogram>;

  prometheus::Registry registry_;
  Counters* webhook_events_;
  Histograms* webhook_seconds_;
  prometheus::Gauge* active_;
  prometheus::Histogram *queue_wait_, *batch_deliveries_, *checkpoint_save_;
  Counters* mode_switches_;
  Gauges* users_;
  prometheus::Counter* healthkit_samples_;
  prometheus::Histogram* healthkit_seconds_;
  Counters* anomalies_;
  Gauges* quality_;
  Counters *dead_letters_, *kafka_sent_;
  Gauges* breaker_;
  Counters* endpoint_requests_;
  Histograms* endpoint_seconds_;
  Counters* kafka_processed_;
  Gauges* kafka_lag_;
  prometheus::Counter* kafka_fenced_;
  prometheus::Gauge *reload_ok_, *restart_required_, *store_events_, *store_bytes_;
  prometheus::Gauge* outbox_lag_;
  std::atomic<std::int64_t> outbox_since_ms_{0};  // Unix time; 0: nothing is behind
};

}  // namespace auren::ops
