#include "devices/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace auren::devices {
namespace {

// Splits "12.5ms" into its number and its unit.
std::optional<double> Leading(std::string_view text, std::string_view* unit) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  *unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return number;
}

// Edit distance, where swapping two neighbours counts as one edit.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::int64_t> ParseWhole(std::string_view text, std::int64_t min, std::int64_t max) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number < min || number > max) return std::nullopt;
  return number;
}

std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<bool> ParseBool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<double> ParseDuration(std::string_view text) {
  if (text == "0") return 0;
  std::string_view unit;
  const std::optional<double> number = Leading(text, &unit);
  if (!number) return std::nullopt;
  if (unit == "ms") return *number / 1000;
  if (unit == "s") return *number;
  if (unit == "m") return *number * 60;
  if (unit == "h") return *number * 3600;
  if (unit == "d") return *number * 86400;
  return std::nullopt;
}

std::optional<std::int64_t> ParseSize(std::string_view text) {
  std::string_view unit;
  const std::optional<double> number = Leading(text, &unit);
  if (!number) return std::nullopt;
  double bytes = *number;
  if (unit == "KiB") {
    bytes *= 1024;
  } else if (unit == "MiB") {
    bytes *= 1024 * 1024;
  } else if (unit == "GiB") {
    bytes *= 1024.0 * 1024 * 1024;
  } else if (!unit.empty() && unit != "B") {
    return std::nullopt;
  }
  if (bytes != std::floor(bytes) || bytes > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(bytes);
}

std::string Nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string nearest;
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = Distance(word, candidate);
    if (distance < best && distance < candidate.size()) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string OneOf(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::vector<std::string> SplitList(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t cut = std::min(text.find(separator), text.size());
    std::string_view part = text.substr(0, cut);
    text.remove_prefix(std::min(cut + 1, text.size()));
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t first = part.find_first_not_of(kBlank);
    if (first == std::string_view::npos) continue;
    part = part.substr(first, part.find_last_not_of(kBlank) - first + 1);
    parts.emplace_back(part);
  }
  return parts;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace auren::devices
