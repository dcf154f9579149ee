// Watches the broker and the topic for /ready, once a second, on a handle of its own: what is asked
// here disturbs no producer and no consumer.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "kafka/admin.h"
#include "ops/readiness.h"

namespace auren::app {

// Sets the checks `kafka` and `topic`.
class KafkaWatch {
 public:
  KafkaWatch(const kafka::Settings& settings, std::string topic, ops::Readiness* readiness);
  ~KafkaWatch();  // Stop()
  KafkaWatch(const KafkaWatch&) = delete;
  KafkaWatch& operator=(const KafkaWatch&) = delete;

  void Stop();

 private:
  void Watch();
  void LookOnce(kafka::Admin& admin);
  bool Wait(double seconds);  // false: stopping

  const kafka::Settings settings_;
  const std::string topic_;
  ops::Readiness* readiness_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::string cluster_id_;  // the watcher's; empty: no broker has answered yet
  std::thread watcher_;
};

}  // namespace auren::app
