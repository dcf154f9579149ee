// Time as wearables write it, turned into RFC 3339 without losing the offset that was written: the
// offset says which local day a reading belongs to.
//
//   "2025-01-27 11:30:00 +0100"           Health Auto Export, Apple Health
//   "2025-01-27 10:30:00\u202fAM +0000"   the same on a phone with a 12-hour clock
//   "2025-01-26T23:04:30.000+01:00", "...Z", "...+0100"   ISO 8601
//   "2025-01-27T10:30:00", "2025-01-27"   without an offset: taken as UTC, and said so (`naive`)
//   1737973800, 1737973800000, "1737973800"   epoch: s, ms, us or ns by magnitude
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace auren::devices {

struct Timestamp {
  std::int64_t micros = 0;            // since 1970-01-01 00:00 UTC
  std::optional<int> offset_minutes;  // as written; none for an epoch or a naive time
  bool naive = false;                 // no offset was written: assumed to be UTC
};

// A date that does not exist, an hour over 23 or a word is no timestamp. Years 1 to 9999.
std::optional<Timestamp> ParseTimestamp(std::string_view text);

// Below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds.
std::optional<Timestamp> FromEpoch(double value);
std::optional<Timestamp> FromEpoch(std::int64_t value);

// "2025-01-27T11:30:00+01:00", "...00.25Z": local time with the offset as written, else UTC with Z;
// a fraction only when there is one.
std::string ToRfc3339(const Timestamp& time);

// The same instant in UTC with milliseconds: "2025-01-27T10:30:00.000Z".
std::string ToUtcMillis(const Timestamp& time);

}  // namespace auren::devices
