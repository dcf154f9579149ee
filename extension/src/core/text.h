// Bounded text: the core writes names and sentences into fixed arrays and must never cut a UTF-8
// sequence in two, because the backend refuses the halves.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace auren::core {

// The longest prefix of at most `limit` bytes that ends between two code points.
inline std::string_view Clip(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

// Copies what fits, always terminated.
template <std::size_t kSize>
void CopyText(char (&to)[kSize], std::string_view from) noexcept {
  const std::string_view text = Clip(from, kSize - 1);
  std::memcpy(to, text.data(), text.size());
  to[text.size()] = '\0';
}

// For printf's "%.*s".
inline int Length(std::string_view text) noexcept { return static_cast<int>(text.size()); }

}  // namespace auren::core
