// The way of one webhook: limits, raw body, verify, parse, durable, answer.
//
// Nothing of a body is looked at before its device has verified the raw bytes. An answer of 2xx to
// a delivery means that it is durable: PostgreSQL has committed it, or the brokers have it, as the
// Sink says. What was authenticated and is answered 422 is
// kept in bridge.dead_letters, because its sender will not send it again; what was not
// authenticated never is.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "app/current_config.h"
#include "devices/device.h"
#include "http/rate_limit.h"
#include "http/router.h"
#include "ingest/sink.h"
#include "ops/metrics.h"
#include "postgres/pool.h"

namespace auren::app {

// The topic of a kept body is this and the provider.
inline constexpr const char* kBodyTopic = "http:/webhooks/";

class Webhooks {
 public:
  Webhooks(const CurrentConfig* config, ingest::Sink* sink, postgres::Pool* pool,
           http::RateLimiter* limiter, ops::Metrics* metrics)
      : config_(config), sink_(sink), pool_(pool), limiter_(limiter), metrics_(metrics) {}

  void AddTo(http::Router* router);

 private:
  using Clock = std::chrono::steady_clock;
  // What is known of the request so far, for metrics and log.
  struct Trail {
    Clock::time_point begin = Clock::now();
    std::string device_type = "unknown", event_type = "other", status, user_id, event_id;
    double readings = 0;
  };

  http::Response Handle(http::Request& request);
  http::Response Receive(http::Request& request, Trail* trail);
  http::Response Store(const http::Request& request, const devices::Device& device,
                       const devices::Verdict& verdict, devices::Mapped mapped,
                       const std::string& body, const config::Config& config, Trail* trail);
  struct Refusal {
    std::string reason, detail;             // a problem's code, and in words
    std::vector<ingest::Outcome> outcomes;  // of its deliveries; empty when it made none
    http::Response answer;
  };
  http::Response Keep(const http::Request& request, const devices::Device& device,
                      const devices::Verdict& verdict, const std::string& body,
                      Clock::time_point deadline, Refusal refusal);
  void Account(const http::Request& request, const http::Response& response, const Trail& trail);

  const CurrentConfig* config_;
  ingest::Sink* sink_;
  postgres::Pool* pool_;
  http::RateLimiter* limiter_;
  ops::Metrics* metrics_;
};

}  // namespace auren::app
