#include "app/kafka_watch.h"

#include <pthread.h>

#include <utility>

#include "ops/log.h"

namespace auren::app {
namespace {

using Check = ops::Readiness::Check;

constexpr std::chrono::milliseconds kPatience{2000};

}  // namespace

KafkaWatch::KafkaWatch(const kafka::Settings& settings, std::string topic,
                       ops::Readiness* readiness)
    : settings_(settings), topic_(std::move(topic)), readiness_(readiness) {
  readiness_->Set("kafka", Check::kDown, "not looked at yet");
  readiness_->Set("topic", Check::kDown, "not looked at yet");
  watcher_ = std::thread([this] { Watch(); });
}

KafkaWatch::~KafkaWatch() { Stop(); }

void KafkaWatch::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

bool KafkaWatch::Wait(double seconds) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return stopping_; });
  return !stopping_;
}

void KafkaWatch::Watch() {
  pthread_setname_np(pthread_self(), "kafka-watch");
  kafka::Admin admin(settings_);
  do {
    LookOnce(admin);
  } while (Wait(readiness_->ready() ? 1.0 : 0.25));
}

void KafkaWatch::LookOnce(kafka::Admin& admin) {
  kafka::Admin::Cluster cluster;
  std::string error;
  if (!admin.Look({topic_}, kPatience, &cluster, &error)) {
    readiness_->Set("kafka", Check::kDown, settings_.bootstrap_servers + ": " + error);
    readiness_->Set("topic", Check::kDown, "unknown while no broker answers");
    return;
  }
  readiness_->Set("kafka", Check::kOk, "cluster " + cluster.id);
  const int partitions = cluster.topics[0].partitions;
  if (partitions == 0) {
    readiness_->Set("topic", Check::kDown, kafka::MissingTopic(topic_));
  } else {
    readiness_->Set("topic", Check::kOk, topic_ + ", partitions: " + std::to_string(partitions));
  }
  if (!cluster_id_.empty() && cluster_id_ != cluster.id) {
    ops::log::Warn("kafka", "the brokers are of another cluster than before",
                   {{"before", cluster_id_}, {"now", cluster.id}});
  }
  cluster_id_ = cluster.id;
}

}  // namespace auren::app
