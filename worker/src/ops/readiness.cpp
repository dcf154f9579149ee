#include "ops/readiness.h"

#include <nlohmann/json.hpp>

#include "ops/log.h"

namespace auren::ops {
namespace {

const char* Name(Readiness::Check check) {
  switch (check) {
    case Readiness::Check::kOk:
      return "ok";
    case Readiness::Check::kDegraded:
      return "degraded";
    case Readiness::Check::kDown:
      return "down";
  }
  return "down";
}

}  // namespace

void Readiness::Set(const std::string& name, Check check, const std::string& detail) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    const auto it = checks_.find(name);
    first = it == checks_.end();
    const bool changed = first || it->second.check != check;
    checks_[name] = {check, detail};
    if (!changed) return;
  }
  if (check == Check::kOk || first) {
    log::Info("ready", name + " is " + Name(check), {{"detail", detail}});
  } else {
    log::Warn("ready", name + " is " + Name(check), {{"detail", detail}});
  }
}

void Readiness::Stopping() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
}

Readiness::Answer Readiness::answer() const {
  const std::lock_guard lock(mutex_);
  bool down = stopping_ || checks_.empty(), degraded = false;
  auto checks = nlohmann::ordered_json::array();
  for (const auto& [name, word] : checks_) {
    down |= word.check == Check::kDown;
    degraded |= word.check == Check::kDegraded;
    checks.push_back({{"name", name}, {"status", Name(word.check)}, {"detail", word.detail}});
  }
  if (stopping_) {
    checks.push_back({{"name", "process"}, {"status", "down"}, {"detail", "stopping"}});
  }
  nlohmann::ordered_json body;
  body["status"] = down ? "not_ready" : degraded ? "degraded" : "ready";
  body["checks"] = std::move(checks);
  return {down ? 503 : 200,
          body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

std::string Readiness::line() const {
  const std::lock_guard lock(mutex_);
  if (stopping_) return "stopping";
  bool down = checks_.empty();
  std::string failing;
  for (const auto& [name, word] : checks_) {
    down |= word.check == Check::kDown;
    if (word.check == Check::kOk) continue;
    failing += (failing.empty() ? ": " : "; ") + name;
    if (!word.detail.empty()) failing += " (" + word.detail + ")";
  }
  return (down ? "not_ready" : failing.empty() ? "ready" : "degraded") + failing;
}

}  // namespace auren::ops
