#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "app/commands.h"
#include "app/load_config.h"
#include "app/simulate.h"
#include "devices/device.h"
#include "kafka/publisher.h"
#include "ops/clock.h"

namespace auren::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kTogether = 256;  // posts of history, when no rate is asked for

// As the webhook flow does, without the credential: who may write to the topic needs none.
devices::Mapped Map(const Post& post, const devices::Device& device) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : post.headers) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    headers.emplace(std::move(lower), value);
  }
  const std::map<std::string, std::string> query;
  devices::Request request;
  request.method = "POST";
  request.headers = &headers;
  request.query = &query;
  request.body = post.body;
  request.now_unix = post.at;
  devices::Verdict verdict;
  verdict.kind = devices::Verdict::Kind::kAccept;
  devices::Mapped mapped = device.Map(request, verdict);
  for (ingest::Delivery& delivery : mapped.deliveries) {
    delivery.received_at = ops::Rfc3339(std::chrono::system_clock::now());
    delivery.provider = post.provider;
  }
  return mapped;
}

}  // namespace

int PublishPosts(const std::vector<Post>& posts, const config::Config& config, double rate) {
  kafka::Producer producer(KafkaSettings(config), {});
  kafka::Publisher::Options options;
  options.topic = config.kafka.topic;
  if (config.kafka.format == "protobuf") options.format = kafka::Format::kProtobuf;
  kafka::Publisher publisher(&producer, options, nullptr);

  std::size_t refused = 0, history = 0;
  std::vector<ingest::Delivery> waiting;
  const auto submit = [&] {
    const ingest::Answer answer =
        publisher.Submit(std::exchange(waiting, {}), Clock::now() + kPatience);
    if (answer.kind == ingest::Answer::Kind::kDone) {
      for (const auto& outcome : answer.outcomes) refused += outcome.status == "rejected" ? 1 : 0;
      return true;
    }
    std::string why = "not acknowledged within 30 s";
    producer.away(&why);
    fmt::print(stderr, "{}: {}\n", config.kafka.bootstrap_servers, why);
    return false;
  };
  const auto begun = Clock::now();
  for (std::size_t i = 0; i < posts.size(); ++i) {
    const Post& post = posts[i];
    if (rate > 0) {
      std::this_thread::sleep_until(
          begun + std::chrono::duration_cast<Clock::duration>(
                      std::chrono::duration<double>(static_cast<double>(i) / rate)));
    }
    const devices::Device* device = config.catalog->Find(post.provider);
    if (device == nullptr) {
      fmt::print(stderr, "{}: no such device in {}\n", post.provider, config.devices_dir);
      return kExitConfig;
    }
    devices::Mapped mapped = Map(post, *device);
    std::size_t readings = 0;
    for (ingest::Delivery& delivery : mapped.deliveries) {
      readings += delivery.readings.size();
      waiting.push_back(std::move(delivery));
    }
    if (mapped.problem != devices::Problem::kNone) ++refused;
    const bool more = post.history && rate == 0 && i + 1 < posts.size() && posts[i + 1].history &&
                      waiting.size() < kTogether;
    if (!more && !waiting.empty() && !submit()) return kExitUnavailable;
    if (post.history) {
      ++history;
      continue;
    }
    if (history > 0) fmt::print("{} deliveries of history\n", history);
    history = 0;
    fmt::print("{:<10} {:<10} {:<9} {:<12} {} readings\n",
               mapped.problem == devices::Problem::kNone ? "queued" : devices::Name(mapped.problem),
               post.provider, post.user_id, post.what, readings);
    std::fflush(stdout);
  }
  if (history > 0) fmt::print("{} deliveries of history\n", history);
  fmt::print("{} deliveries sent, {} refused\n", posts.size(), refused);
  return refused == 0 ? kExitDone : kExitNo;
}

}  // namespace auren::app
