// A few connections shared by the threads that answer API requests. Bounded: who finds none free
// waits until a deadline, so a slow database never takes unbounded memory or threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "postgres/connection.h"

namespace auren::postgres {

class Pool {
 public:
  Pool(const std::string& url, const std::string& role, int size);

  // Runs one statement on a free connection. No free one before `deadline`: 53300. A connection
  // that the server closed while it lay idle is replaced and the statement sent once more, so a
  // restart of the server costs no error; `sql` must therefore be safe to repeat.
  Result Execute(std::chrono::steady_clock::time_point deadline, const std::string& sql,
                 const std::vector<Param>& params = {});

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> free_;
};

}  // namespace auren::postgres
