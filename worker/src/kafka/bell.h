// What a thread of this room waits on: something has happened, or it is to stop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace auren::kafka {

class Bell {
 public:
  void Ring() {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    changed_.notify_all();
  }

  void Stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  bool stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }

  // Until it has been rung since the last wait, or is stopped, or the time is over.
  void Wait(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, most, [this] { return rung_ || stopped_; });
    rung_ = false;
  }

  // Until it is stopped, or the time is over.
  void Pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [this] { return stopped_; });
  }

  // The same for who has been stopped and finishes its work.
  void WaitToFinish(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, most, [this] { return rung_; });
    rung_ = false;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false, stopped_ = false;
};

}  // namespace auren::kafka
