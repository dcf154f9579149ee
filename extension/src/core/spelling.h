// Which word was meant: the nearest of those that are known. Internal to the core.
#pragma once

#include <string_view>

namespace auren::core {

// Levenshtein's distance, both words cut to 63 bytes: longer ones are no slip of the finger.
int EditDistance(std::string_view from, std::string_view to) noexcept;

// The distance up to which a word of that length is taken for a slip.
int MostSlips(std::string_view word) noexcept;

// The nearest of `words` (the first of equally near ones), or nullptr when none is near enough to
// be meant.
const char* Nearest(std::string_view word, const char* const* words, int count) noexcept;

}  // namespace auren::core
