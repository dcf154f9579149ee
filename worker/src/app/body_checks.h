// What must hold of an authenticated body before anybody parses it: PostgreSQL stores no NUL and
// only UTF-8, and a deeply nested document must not exhaust a stack.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace auren::app {

inline constexpr int kMaxJsonDepth = 64;

// nullopt: fine. Otherwise what is wrong, for people; no byte of the body is in it. `json` false (a
// form): only NUL and UTF-8 are looked at.
std::optional<std::string> CheckBody(std::string_view body, bool json);

}  // namespace auren::app
