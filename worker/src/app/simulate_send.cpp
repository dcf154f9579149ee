#include <fmt/core.h>
#include <httplib.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/simulate.h"

namespace auren::app {
namespace {

constexpr int kUnavailable = 69;

httplib::Headers HeadersOf(const Post& post) {
  httplib::Headers headers;
  for (const auto& [name, value] : post.headers) {
    if (name != "Content-Type") headers.emplace(name, value);
  }
  return headers;
}

// "3 readings", from an answer's body. What is only queued has not been counted yet.
std::string Readings(const std::string& body) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  if (!answer.is_object() || !answer.contains("deliveries") || !answer["deliveries"].is_array() ||
      answer.value("status", "") == "queued") {
    return "";
  }
  int accepted = 0;
  int rejected = 0;
  for (const auto& delivery : answer["deliveries"]) {
    accepted += delivery.value("readings_accepted", 0);
    rejected += delivery.value("readings_rejected", 0);
  }
  return rejected == 0 ? fmt::format("{} readings", accepted)
                       : fmt::format("{} readings, {} refused", accepted, rejected);
}

std::string StatusOf(const std::string& body) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  if (!answer.is_object()) return "";
  return answer.contains("code") ? answer.value("code", "") : answer.value("status", "");
}

}  // namespace

int SendPosts(const std::vector<Post>& posts, const std::string& url, double rate) {
  httplib::Client client(url);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_read_timeout(30);
  std::size_t history = 0;
  std::size_t refused = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < posts.size(); ++i) {
    const Post& post = posts[i];
    if (rate > 0) {
      std::this_thread::sleep_until(
          begun + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                      std::chrono::duration<double>(static_cast<double>(i) / rate)));
    }
    const auto answer =
        client.Post("/webhooks/" + post.provider, HeadersOf(post), post.body, "application/json");
    if (!answer) {
      fmt::print(stderr, "no answer from {}: {}\n", url, httplib::to_string(answer.error()));
      return kUnavailable;
    }
    const bool good = answer->status >= 200 && answer->status < 300;
    if (!good) ++refused;
    if (post.history && good) {
      ++history;
      continue;
    }
    if (history > 0) fmt::print("{} deliveries of history\n", history);
    history = 0;
    fmt::print("{} {:<10} {:<10} {:<9} {:<12} {}\n", answer->status, StatusOf(answer->body),
               post.provider, post.user_id, post.what, Readings(answer->body));
    std::fflush(stdout);
  }
  if (history > 0) fmt::print("{} deliveries of history\n", history);
  fmt::print("{} deliveries sent, {} refused\n", posts.size(), refused);
  return refused == 0 ? 0 : 1;
}

}  // namespace auren::app
