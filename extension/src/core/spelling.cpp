#include "core/spelling.h"

#include <algorithm>
#include <cstddef>

namespace auren::core {

int EditDistance(std::string_view from, std::string_view to) noexcept {
  constexpr std::size_t kMaxWord = 63;
  from = from.substr(0, kMaxWord);
  to = to.substr(0, kMaxWord);
  int row[kMaxWord + 1] = {};
  for (std::size_t j = 0; j <= to.size(); ++j) row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= from.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const int replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j - 1] + 1, row[j] + 1});
    }
  }
  return row[to.size()];
}

int MostSlips(std::string_view word) noexcept { return static_cast<int>(word.size()) / 3 + 1; }

const char* Nearest(std::string_view word, const char* const* words, int count) noexcept {
  const char* nearest = nullptr;
  int best = MostSlips(word) + 1;
  for (int i = 0; i < count; ++i) {
    const int distance = EditDistance(word, words[i]);
    if (distance < best) {
      best = distance;
      nearest = words[i];
    }
  }
  return nearest;
}

}  // namespace auren::core
