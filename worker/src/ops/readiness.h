// What /ready answers: a few named checks, set by whoever knows, read by anyone.
#pragma once

#include <map>
#include <mutex>
#include <string>

namespace auren::ops {

class Readiness {
 public:
  enum class Check { kOk, kDegraded, kDown };

  // Keeps the newest word on `name`. Detail is for operators: what to do, no secret.
  void Set(const std::string& name, Check check, const std::string& detail);

  // From now on not_ready, whatever the checks say: the worker is stopping.
  void Stopping();

  struct Answer {
    int status;        // 200 ready or degraded, 503 not_ready
    std::string body;  // {"status","checks":[{"name","status","detail"}]}
  };
  Answer answer() const;
  // The same in one line: "ready", or the status and each check that is not ok with its detail;
  // "stopping".
  std::string line() const;
  bool ready() const { return answer().status == 200; }

 private:
  struct Word {
    Check check;
    std::string detail;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Word> checks_;
  bool stopping_ = false;
};

}  // namespace auren::ops
