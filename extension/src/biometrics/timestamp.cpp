#include "biometrics/timestamp.h"

namespace auren::biometrics {
namespace {

constexpr std::int64_t kSecond = 1000000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kDay = 24LL * 60 * kMinute;
constexpr int kMaxOffset = 18 * 60;

// Reads from the front of a text.
struct Reader {
  std::string_view rest;

  bool Number(int digits, int* value) {
    if (rest.size() < static_cast<std::size_t>(digits)) return false;
    *value = 0;
    for (int i = 0; i < digits; i++) {
      if (rest[i] < '0' || rest[i] > '9') return false;
      *value = *value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(digits);
    return true;
  }

  bool Char(char wanted) {
    if (rest.empty() || rest[0] != wanted) return false;
    rest.remove_prefix(1);
    return true;
  }

  bool Digit(int* value) { return Number(1, value); }
};

int DaysIn(int month, int year) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Days since 2000-01-01 of a date of the Gregorian calendar: years counted from March put the leap
// day last, so that the days before a month follow from its number alone.
std::int64_t DayNumber(int year, int month, int day) {
  const int y = month > 2 ? year : year - 1;
  const int m = month > 2 ? month - 3 : month + 9;
  constexpr std::int64_t kFirst = 730425;  // the same sum for 2000-01-01
  return 365LL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - kFirst;
}

bool ParseOffset(Reader* reader, Moment* moment) {
  if (reader->rest.empty()) return true;
  moment->has_zone = true;
  if (reader->Char('Z') || reader->Char('z')) return true;
  const bool west = reader->Char('-');
  if (!west && !reader->Char('+')) return false;
  int hours, minutes;
  if (!reader->Number(2, &hours)) return false;
  (void)reader->Char(':');
  if (!reader->Number(2, &minutes) || minutes > 59) return false;
  const int offset = hours * 60 + minutes;
  if (offset > kMaxOffset) return false;
  moment->zone_offset = west ? -offset : offset;
  return true;
}

}  // namespace

bool ParseMoment(std::string_view text, Moment* moment) {
  *moment = Moment{};
  Reader reader{text};
  int year, month, day, hour, minute, second;
  if (!reader.Number(4, &year) || !reader.Char('-') || !reader.Number(2, &month) ||
      !reader.Char('-') || !reader.Number(2, &day)) {
    return false;
  }
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > DaysIn(month, year)) return false;
  if (!reader.Char('T') && !reader.Char('t') && !reader.Char(' ')) return false;
  if (!reader.Number(2, &hour) || !reader.Char(':') || !reader.Number(2, &minute) ||
      !reader.Char(':') || !reader.Number(2, &second)) {
    return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;

  std::int64_t fraction = 0;
  if (reader.Char('.')) {
    int digit;
    if (!reader.Digit(&digit)) return false;
    std::int64_t unit = kSecond / 10;
    do {
      fraction += digit * unit;
      unit /= 10;
    } while (reader.Digit(&digit));
  }
  (void)reader.Char(' ');
  if (!ParseOffset(&reader, moment) || !reader.rest.empty()) return false;

  moment->microseconds = DayNumber(year, month, day) * kDay +
                         (hour * 3600LL + minute * 60LL + second) * kSecond + fraction -
                         moment->zone_offset * kMinute;
  return true;
}

std::int32_t LocalDay(std::int64_t microseconds, int zone_offset) {
  const std::int64_t local = microseconds + zone_offset * kMinute;
  const std::int64_t day = local / kDay;
  return static_cast<std::int32_t>(local % kDay < 0 ? day - 1 : day);
}

}  // namespace auren::biometrics
