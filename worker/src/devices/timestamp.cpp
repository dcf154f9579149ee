#include "devices/timestamp.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace auren::devices {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kDay = 86400 * kSecond;
constexpr std::string_view kNarrowNoBreakSpace = "\xe2\x80\xaf", kNoBreakSpace = "\xc2\xa0";
// 0001-01-01 and 9999-12-31T23:59:59.999999, less a day for the offset.
constexpr std::int64_t kEarliest = -62135596800 * kSecond + kDay;
constexpr std::int64_t kLatest = 253402300799 * kSecond - kDay;

struct Civil {
  std::int64_t year;
  int month, day;
};

// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March
// so that the leap day is the last of its year.
std::int64_t DaysFromCivil(Civil date) {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t month = (date.month + 9) % 12;
  const std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

Civil CivilFromDays(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * of_year + 2) / 153;
  const int day = static_cast<int>(of_year - (153 * shifted + 2) / 5 + 1);
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

bool ValidDate(Civil date) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1) return false;
  const bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
  const int days = kDays[static_cast<std::size_t>(date.month - 1)];
  return date.day <= days + (leap && date.month == 2 ? 1 : 0);
}

// Walks over the text; each step says whether it matched.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool Digits(std::size_t count, int* value) {
    if (rest_.size() < count) return false;
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      number = number * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    *value = number;
    return true;
  }
  bool Take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  bool TakeAnyCase(char upper) {
    if (rest_.empty() || (rest_[0] & ~0x20) != upper) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void Blanks() {
    while (Take(" ") || Take(kNarrowNoBreakSpace) || Take(kNoBreakSpace)) {
    }
  }
  // Fraction digits after a point, as microseconds; more than six are cut off.
  bool Fraction(std::int64_t* micros) {
    std::int64_t scale = kSecond / 10;
    std::size_t length = 0;
    for (; length < rest_.size() && rest_[length] >= '0' && rest_[length] <= '9'; ++length) {
      *micros += (rest_[length] - '0') * scale;
      scale /= 10;
    }
    rest_.remove_prefix(length);
    return length > 0;
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool ParseClock(Scanner* in, std::int64_t* micros) {
  int hour = 0, minute = 0, second = 0;
  if (!in->Digits(2, &hour) || !in->Take(":") || !in->Digits(2, &minute)) return false;
  *micros = 0;
  if (in->Take(":")) {
    if (!in->Digits(2, &second)) return false;
    if ((in->Take(".") || in->Take(",")) && !in->Fraction(micros)) return false;
  }
  in->Blanks();
  const bool am = in->TakeAnyCase('A'), pm = !am && in->TakeAnyCase('P');
  if (am || pm) {
    if (!in->TakeAnyCase('M') || hour < 1 || hour > 12) return false;
    hour = hour % 12 + (pm ? 12 : 0);
  }
  if (hour > 23 || minute > 59 || second > 60) return false;  // 60: a leap second
  *micros += (hour * 3600 + minute * 60 + second) * kSecond;
  return true;
}

bool ParseOffset(Scanner* in, std::optional<int>* offset) {
  in->Blanks();
  if (in->TakeAnyCase('Z')) {
    *offset = 0;
    return true;
  }
  const bool minus = in->Take("-");
  if (!minus && !in->Take("+")) return true;  // none written
  int hours = 0, minutes = 0;
  if (!in->Digits(2, &hours)) return false;
  in->Take(":");
  if (!in->done() && !in->Digits(2, &minutes)) return false;
  if (hours > 15 || minutes > 59) return false;
  *offset = (minus ? -1 : 1) * (hours * 60 + minutes);
  return true;
}

std::optional<Timestamp> AtMicros(std::int64_t micros) {
  if (micros < kEarliest || micros > kLatest) return std::nullopt;
  return Timestamp{micros, std::nullopt, false};
}

bool AllDigits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// `millis`: always three digits of fraction, else as few as tell the truth.
std::string Format(std::int64_t micros, std::optional<int> offset, bool millis) {
  const std::int64_t local = micros + offset.value_or(0) * kMinute;
  std::int64_t days = local / kDay, rest = local % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  const Civil date = CivilFromDays(days);
  const std::int64_t seconds = rest / kSecond, fraction = rest % kSecond;
  char text[64];
  std::snprintf(text, sizeof text, "%04lld-%02d-%02dT%02lld:%02lld:%02lld",
                static_cast<long long>(date.year), date.month, date.day,
                static_cast<long long>(seconds / 3600), static_cast<long long>(seconds / 60 % 60),
                static_cast<long long>(seconds % 60));
  std::string out = text;
  if (millis) {
    std::snprintf(text, sizeof text, ".%03lld", static_cast<long long>(fraction / 1000));
    out += text;
  } else if (fraction != 0) {
    std::snprintf(text, sizeof text, ".%06lld", static_cast<long long>(fraction));
    out += text;
    out.erase(out.find_last_not_of('0') + 1);
  }
  if (offset.value_or(0) == 0) return out + "Z";
  std::snprintf(text, sizeof text, "%c%02d:%02d", *offset < 0 ? '-' : '+', std::abs(*offset) / 60,
                std::abs(*offset) % 60);
  return out + text;
}

}  // namespace

std::optional<Timestamp> ParseTimestamp(std::string_view text) {
  if (text.size() > 40) return std::nullopt;
  if (text.size() >= 9 && text.size() <= 19 && AllDigits(text)) {
    return FromEpoch(
        static_cast<std::int64_t>(std::strtoll(std::string(text).c_str(), nullptr, 10)));
  }
  Scanner in(text);
  int year = 0, month = 0, day = 0;
  if (!in.Digits(4, &year) || !in.Take("-") || !in.Digits(2, &month) || !in.Take("-") ||
      !in.Digits(2, &day) || !ValidDate({year, month, day})) {
    return std::nullopt;
  }
  std::int64_t micros = DaysFromCivil({year, month, day}) * kDay, clock = 0;
  std::optional<int> offset;
  if (!in.done()) {
    if (!in.TakeAnyCase('T') && !in.Take(" ")) return std::nullopt;
    if (!ParseClock(&in, &clock) || !ParseOffset(&in, &offset) || !in.done()) return std::nullopt;
  }
  micros += clock - offset.value_or(0) * kMinute;
  std::optional<Timestamp> time = AtMicros(micros);
  if (time) {
    time->offset_minutes = offset;
    time->naive = !offset;
  }
  return time;
}

std::optional<Timestamp> FromEpoch(std::int64_t value) {
  const double magnitude = std::fabs(static_cast<double>(value));
  if (magnitude < 1e11) return AtMicros(value * kSecond);
  if (magnitude < 1e14) return AtMicros(value * 1000);
  if (magnitude < 1e17) return AtMicros(value);
  return AtMicros(value / 1000);
}

std::optional<Timestamp> FromEpoch(double value) {
  const double magnitude = std::fabs(value);
  if (!(magnitude < 1e19)) return std::nullopt;
  const double scale =
      magnitude < 1e11 ? 1e6 : (magnitude < 1e14 ? 1e3 : (magnitude < 1e17 ? 1 : 1e-3));
  const double micros = std::round(value * scale);
  if (!(std::fabs(micros) < 9e18)) return std::nullopt;
  return AtMicros(static_cast<std::int64_t>(micros));
}

std::string ToRfc3339(const Timestamp& time) {
  return Format(time.micros, time.offset_minutes, false);
}

std::string ToUtcMillis(const Timestamp& time) { return Format(time.micros, std::nullopt, true); }

}  // namespace auren::devices
