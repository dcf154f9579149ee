// Timestamps as deliveries write them: RFC 3339, read strictly.
//
//   2025-01-27T11:30:00.250+01:00    2025-01-27 10:30:00Z    2025-01-27 11:30:00 +0100
//
// A date that does not exist (2025-02-30), a field out of range or anything behind the offset is no
// timestamp. Digits behind the microsecond are dropped. Without an offset the time is taken as UTC
// and has_zone is false. Offsets go to 18:00 either way.
#pragma once

#include <cstdint>
#include <string_view>

namespace auren::biometrics {

struct Moment {
  std::int64_t microseconds = 0;  // since 2000-01-01 00:00 UTC, as TimestampTz
  int zone_offset = 0;            // minutes east of UTC, as written
  bool has_zone = false;
};

bool ParseMoment(std::string_view text, Moment* moment);

// The local day of a moment, in days since 2000-01-01, as DateADT.
std::int32_t LocalDay(std::int64_t microseconds, int zone_offset);

}  // namespace auren::biometrics
