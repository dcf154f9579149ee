// How much of request bodies may be in memory at once, and how many requests may be in flight.
#pragma once

#include <atomic>
#include <cstdint>

namespace auren::http {

class Budget {
 public:
  static constexpr std::int64_t kLargeBody = 1 << 20;  // above it a body needs one of the few slots

  Budget(std::int64_t max_bytes, int max_large, int max_requests)
      : max_bytes_(max_bytes), max_large_(max_large), max_requests_(max_requests) {}

  // One request's share; gives all back at the latest when it ends.
  class Share {
   public:
    explicit Share(Budget* budget)
        : budget_(budget), admitted_(budget->requests_.fetch_add(1) < budget->max_requests_) {}
    ~Share() { Release(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    bool admitted() const { return admitted_; }  // false: too many requests in flight

    // Raises this share to `bytes` in all. False: there is not so much left.
    bool Grow(std::int64_t bytes) {
      if (bytes <= bytes_) return true;
      const std::int64_t more = bytes - bytes_;
      if (budget_->bytes_.fetch_add(more) + more > budget_->max_bytes_) {
        budget_->bytes_.fetch_sub(more);
        return false;
      }
      bytes_ = bytes;
      if (!large_ && bytes_ > kLargeBody) {
        if (budget_->large_.fetch_add(1) >= budget_->max_large_) {
          budget_->large_.fetch_sub(1);
          return false;
        }
        large_ = true;
      }
      return true;
    }

    // Gives all back. Before the answer is sent, so that who has it may ask again at once.
    void Release() {
      if (budget_ == nullptr) return;
      budget_->requests_.fetch_sub(1);
      budget_->bytes_.fetch_sub(bytes_);
      if (large_) budget_->large_.fetch_sub(1);
      budget_ = nullptr;
    }

   private:
    Budget* budget_;  // nullptr: released
    bool admitted_;
    std::int64_t bytes_ = 0;
    bool large_ = false;
  };

  std::int64_t bytes() const { return bytes_.load(); }
  int requests() const { return requests_.load(); }

 private:
  const std::int64_t max_bytes_;
  const int max_large_, max_requests_;
  std::atomic<std::int64_t> bytes_{0};
  std::atomic<int> large_{0}, requests_{0};
};

}  // namespace auren::http
