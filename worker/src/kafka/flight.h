// Records that were given to the producer, in that order, and what became of them. The one who
// sends has one thread; reports come from the producer's.
//
// Only the acknowledged run from the front counts: behind a record that failed nothing is taken as
// published, so that it is sent again from there on, in order.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kafka/bell.h"
#include "kafka/producer.h"

namespace auren::kafka {

class Flight : public std::enable_shared_from_this<Flight> {
 public:
  // The bell is rung when every record has its report, when one failed, and when half of `room`
  // bytes is free again.
  Flight(std::shared_ptr<Bell> bell, std::int64_t room);

  // Gives the record to the producer; `position` is the id by which it is known here. When the
  // producer does not take it nothing is kept of it. Behind one that failed: kUnavailable.
  Producer::Sent Send(Producer* producer, const Record& record, std::int64_t position);

  // The acknowledged run from the front, which leaves the flight with that.
  std::vector<std::int64_t> TakeAcknowledged();

  struct Failure {
    std::int64_t position = 0;
    bool too_large = false;  // refused for its size, so refused for good
    std::string error;
  };
  struct State {
    std::size_t records = 0;         // not taken yet
    std::size_t unreported = 0;      // of them
    std::int64_t bytes = 0;          // of the unreported
    std::optional<Failure> failure;  // of the first that failed
  };
  State state() const;

  // Forgets all there is; what is reported of it later does not count.
  void Clear();

 private:
  enum class Fate { kUnreported, kAcknowledged, kFailed };
  struct Entry {
    std::int64_t position, bytes;
    Fate fate = Fate::kUnreported;
  };

  void Report(std::uint64_t ticket, const Producer::Report& report);

  const std::shared_ptr<Bell> bell_;
  const std::int64_t room_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
  std::uint64_t first_ = 0;  // the ticket of entries_.front()
  std::size_t unreported_ = 0;
  std::int64_t bytes_ = 0;
  std::optional<Failure> failure_;
};

// What an operator is told of an error: of one that means so, that the topic does not exist.
std::string Explain(const std::string& error, const std::string& topic);

// The header that says that a copy came without its value.
inline constexpr const char* kTruncatedHeader = "auren_truncated";

}  // namespace auren::kafka
