// Token buckets by name (an API key's, an address): each holds `count` tokens and refills evenly
// over `per_seconds`. The clock is the caller's, so tests need not wait.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace auren::http {

class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  struct Rate {
    double count = 0;  // 0: off
    double per_seconds = 0;
  };

  // Takes one token of `name`. 0: taken. Otherwise the whole seconds until the next one.
  int Take(const std::string& name, Rate rate, Clock::time_point now);

  // As Take, but takes nothing: is there a token?
  int Peek(const std::string& name, Rate rate, Clock::time_point now);

  std::size_t size() const;

 private:
  struct Bucket {
    double tokens;
    Clock::time_point at;
  };
  int Use(const std::string& name, Rate rate, Clock::time_point now, double tokens);
  void Sweep(Rate rate, Clock::time_point now);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace auren::http
