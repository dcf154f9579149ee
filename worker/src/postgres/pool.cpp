#include "postgres/pool.h"

#include "postgres/sqlstate.h"

namespace auren::postgres {

Pool::Pool(const std::string& url, const std::string& role, int size) {
  for (int i = 0; i < size; ++i) free_.push_back(std::make_unique<Connection>(url, role));
}

Result Pool::Execute(std::chrono::steady_clock::time_point deadline, const std::string& sql,
                     const std::vector<Param>& params) {
  std::unique_ptr<Connection> connection;
  {
    std::unique_lock lock(mutex_);
    if (!freed_.wait_until(lock, deadline, [this] { return !free_.empty(); })) {
      return Result(Error{"53300", "no free connection before the deadline"});
    }
    connection = std::move(free_.back());
    free_.pop_back();
  }
  const bool was_connected = connection->connected();
  Result result = connection->Execute(sql, params);
  if (!result.ok() && was_connected && Classify(result.error().sqlstate) == Action::kReconnect) {
    connection->Disconnect();
    result = connection->Execute(sql, params);
  }
  // What stops the line may be a plan or a function that is gone: the next use starts afresh.
  if (!result.ok() && Classify(result.error().sqlstate) == Action::kStop) connection->Disconnect();
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(connection));
  }
  freed_.notify_one();
  return result;
}

}  // namespace auren::postgres
