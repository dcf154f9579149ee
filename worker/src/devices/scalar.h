// Small values as people write them in configuration: numbers, durations, sizes. One spelling each,
// so that a file says the same to everyone who reads it. Nothing here throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auren::devices {

// A whole number in decimal, within [min, max].
std::optional<std::int64_t> ParseWhole(std::string_view text, std::int64_t min, std::int64_t max);

// A decimal number; no NaN, no infinity, no hexadecimal.
std::optional<double> ParseNumber(std::string_view text);

// `true` or `false`, and nothing else: YAML's yes, on and True are refused.
std::optional<bool> ParseBool(std::string_view text);

// "250ms", "5s", "10m", "1h", "2d" or "0" as seconds. Never negative.
std::optional<double> ParseDuration(std::string_view text);

// "512B", "256KiB", "64MiB", "1GiB" or a plain number of bytes. Never negative.
std::optional<std::int64_t> ParseSize(std::string_view text);

// The known word that `word` most likely meant, or "" when none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& known);

// "a, b or c", for messages.
std::string OneOf(const std::vector<std::string>& words);

// The parts between commas, without the blanks around them; empty parts are left out.
std::vector<std::string> SplitList(std::string_view text, char separator = ',');

std::string Lower(std::string_view text);

}  // namespace auren::devices
