#include "ops/clock.h"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace auren::ops {

std::string Rfc3339(std::chrono::system_clock::time_point time) {
  return Rfc3339(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

std::string Rfc3339(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text;
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", text.data(), unix_ms % 1000);
}

}  // namespace auren::ops
