#include "kafka/ending.h"

#include <pthread.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

#include "ops/log.h"

namespace auren::kafka {
namespace {

std::atomic<int> endings{0};

}  // namespace

void EndHandle(rd_kafka_t* handle, int flags) {
  const std::string name = rd_kafka_name(handle);
  const auto ended = std::make_shared<std::promise<void>>();
  std::future<void> end = ended->get_future();
  ++endings;
  try {
    std::thread([handle, flags, ended] {
      pthread_setname_np(pthread_self(), "kafka-end");
      rd_kafka_destroy_flags(handle, flags);
      --endings;
      ended->set_value();
    }).detach();
  } catch (const std::system_error&) {  // no thread is to be had
    rd_kafka_destroy_flags(handle, flags);
    --endings;
    return;
  }
  if (end.wait_for(kEndingPatience) == std::future_status::ready) return;
  ops::log::Warn("librdkafka", "a client does not end; going on without it", {{"client", name}});
}

int Endings() { return endings; }

}  // namespace auren::kafka
