// Every metric of the worker (docs/METRICS_CATALOG.md). All families are there, with a value, from
// the first scrape. Labels come from closed lists; never a person, never a hash of one.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <atomic>
#include <cstdint>
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
  void Breaker(const std::string& dependency, double state);  // 0 closed, 1 open

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
  Counters* dead_letters_;
  Gauges* breaker_;
  Counters* endpoint_requests_;
  Histograms* endpoint_seconds_;
  prometheus::Gauge *reload_ok_, *restart_required_, *store_events_, *store_bytes_;
};

}  // namespace auren::ops
