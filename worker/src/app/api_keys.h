// Who calls the API: a key in `Authorization: Bearer KEY` or `x-api-key: KEY`. Admitted are the
// keys made by `auren-worker keys create` (their SHA-256 is in bridge.api_keys) and the configured
// HealthKit keys, with the user each is bound to.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "app/current_config.h"
#include "http/message.h"
#include "http/rate_limit.h"
#include "postgres/pool.h"

namespace auren::app {

struct Caller {
  std::string name;        // of the key, never the key
  std::string bound_user;  // the only one it may act for; empty: any
};

class ApiKeys {
 public:
  ApiKeys(const CurrentConfig* config, postgres::Pool* pool, http::RateLimiter* limiter)
      : config_(config), pool_(pool), limiter_(limiter) {}

  // The caller, or `refusal` with why not: 401, 429 with Retry-After, 503.
  std::optional<Caller> Authenticate(const http::Request& request,
                                     std::chrono::steady_clock::time_point deadline,
                                     http::Response* refusal);

 private:
  const CurrentConfig* config_;
  postgres::Pool* pool_;
  http::RateLimiter* limiter_;
};

// The raw 32 bytes.
std::string Sha256(std::string_view text);

// How the limits of the configuration read for the limiter.
http::RateLimiter::Rate ToRate(const config::Rate& rate);

}  // namespace auren::app
