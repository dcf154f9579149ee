// The arguments of `auren-worker dead-letters`, checked before anything is connected to.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auren::app {

struct DeadLettersOptions {
  enum class Verb : std::uint8_t { kList, kShow, kRetry, kDiscard };
  Verb verb = Verb::kList;
  std::string config;             // configuration file; empty: the usual one
  std::vector<std::int64_t> ids;  // show: exactly one; empty: those of the filter
  std::string reason, topic;      // the filter; empty: any
  std::string since;              // RFC 3339: first seen then or later; empty: ever
  std::string status = "open";    // open, retried, discarded or all; list only
  std::int64_t limit = 0;         // 0: no limit
  bool dry_run = false, json = false, raw = false;
  std::string note;  // discard: why
};

// `args`: what follows `dead-letters`. Nothing: `*options` is what to do. Otherwise the exit code,
// 0 after --help and 64 for wrong usage, with everything said to `out` or `err`.
//
// To change letters takes either their ids or a filter; --all is the filter that lets all through.
std::optional<int> ParseDeadLetters(const std::vector<std::string>& args,
                                    std::chrono::system_clock::time_point now,
                                    DeadLettersOptions* options, std::ostream& out,
                                    std::ostream& err);

// "2h", "30m", "7d" before `now`, or RFC 3339 with an offset; the moment as RFC 3339. Nothing: it
// is neither.
std::optional<std::string> ParseSince(std::string_view text,
                                      std::chrono::system_clock::time_point now);

}  // namespace auren::app
