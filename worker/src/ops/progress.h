// Whether every long-lived thread gets on with its work: what /health answers and the supervisor's
// watchdog hears.
//
//   ops::Beat beat = progress.Add("writer-0", 20s);
//   for (;;) {
//     beat.Tick();                          // I run; heard of again within 20 s
//     { ops::Pause pause(&beat); wait(); }  // or: I wait for something that may take any time
//   }
//
// A thread is silent when neither was heard within its time. Waiting for work, or for an answer of
// PostgreSQL (whose own limits end it), is no silence: a restart would mend nothing. Spinning, or
// hanging in a lock or a file, is.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace auren::ops {

// One thread's sign of life. Its end, with the Beat, is no silence. Used by one thread; default
// made, it is nobody's and does nothing.
class Beat {
 public:
  Beat() = default;
  ~Beat();
  Beat(Beat&& other) noexcept = default;
  Beat& operator=(Beat&&) = delete;
  Beat(const Beat&) = delete;
  Beat& operator=(const Beat&) = delete;

  void Tick();
  void Wait();  // until the next Tick

 private:
  friend class Progress;
  struct State;
  explicit Beat(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;
};

// Waiting, for as long as it lives.
class Pause {
 public:
  explicit Pause(Beat* beat) : beat_(beat) { beat_->Wait(); }
  ~Pause() { beat_->Tick(); }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  Beat* beat_;
};

class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  // A thread that will be heard of every `longest`, from now on. Thread safe.
  Beat Add(std::string name, Clock::duration longest);

  // The name of the thread that has been silent for too long, the longest if several are; empty:
  // none. Thread safe, and takes no lock that a silent thread could hold.
  std::string Silent(Clock::time_point now = Clock::now()) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Beat::State>> threads_;
};

}  // namespace auren::ops
