#include "ops/progress.h"

#include <atomic>
#include <utility>

namespace auren::ops {
namespace {

using Ticks = Progress::Clock::rep;

Ticks Count(Progress::Clock::time_point time) { return time.time_since_epoch().count(); }

constexpr Ticks kAnyTime = Progress::Clock::duration::max().count();

}  // namespace

struct Beat::State {
  std::string name;
  Progress::Clock::duration longest;
  std::atomic<Ticks> due{kAnyTime};  // when it has to be heard of again
  std::atomic<bool> ended{false};
};

Beat::~Beat() {
  if (state_) state_->ended = true;
}

void Beat::Tick() {
  if (state_) state_->due = Count(Progress::Clock::now() + state_->longest);
}

void Beat::Wait() {
  if (state_) state_->due = kAnyTime;
}

Beat Progress::Add(std::string name, Clock::duration longest) {
  const auto state = std::make_shared<Beat::State>();
  state->name = std::move(name);
  state->longest = longest;
  Beat beat(state);
  beat.Tick();
  const std::lock_guard lock(mutex_);
  std::erase_if(threads_, [](const auto& thread) { return thread->ended.load(); });
  threads_.push_back(state);
  return beat;
}

std::string Progress::Silent(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  const Beat::State* longest = nullptr;
  Ticks due = Count(now);
  for (const auto& thread : threads_) {
    const Ticks its = thread->due;
    if (thread->ended || its >= due) continue;
    due = its;
    longest = thread.get();
  }
  return longest == nullptr ? "" : longest->name;
}

}  // namespace auren::ops
