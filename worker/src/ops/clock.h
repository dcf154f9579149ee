// The wall clock as text, in the one form that logs and deliveries share.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace auren::ops {

// RFC 3339 in UTC with milliseconds: 2025-01-27T10:30:00.250Z.
std::string Rfc3339(std::chrono::system_clock::time_point time);
// Of milliseconds since 1970, from then to the end of the year 9999: a system_clock's end in 2262.
std::string Rfc3339(std::int64_t unix_ms);

}  // namespace auren::ops
