#include "http/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace auren::http {
namespace {

// So many names are remembered before the full buckets, which say nothing, are thrown away.
constexpr std::size_t kSweepAt = 10000;

double Refilled(double tokens, RateLimiter::Clock::time_point at, RateLimiter::Rate rate,
                RateLimiter::Clock::time_point now) {
  const double seconds = std::max(0.0, std::chrono::duration<double>(now - at).count());
  return std::min(rate.count, tokens + seconds * rate.count / rate.per_seconds);
}

}  // namespace

int RateLimiter::Take(const std::string& name, Rate rate, Clock::time_point now) {
  return Use(name, rate, now, 1);
}

int RateLimiter::Peek(const std::string& name, Rate rate, Clock::time_point now) {
  return Use(name, rate, now, 0);
}

int RateLimiter::Use(const std::string& name, Rate rate, Clock::time_point now, double tokens) {
  if (rate.count <= 0 || rate.per_seconds <= 0) return 0;
  const std::lock_guard lock(mutex_);
  const auto it = buckets_.find(name);
  const double have =
      it == buckets_.end() ? rate.count : Refilled(it->second.tokens, it->second.at, rate, now);
  if (have < 1) {
    return std::max(1, static_cast<int>(std::ceil((1 - have) * rate.per_seconds / rate.count)));
  }
  if (tokens > 0) {
    if (it == buckets_.end() && buckets_.size() >= kSweepAt) Sweep(rate, now);
    buckets_[name] = {have - tokens, now};
  }
  return 0;
}

void RateLimiter::Sweep(Rate rate, Clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return Refilled(entry.second.tokens, entry.second.at, rate, now) >= rate.count;
  });
  // Still as many: an attack with that many names. Forgetting them all is kinder than growing.
  if (buckets_.size() >= kSweepAt) buckets_.clear();
}

std::size_t RateLimiter::size() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace auren::http
