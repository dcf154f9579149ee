#include "app/body_checks.h"

#include "http/text.h"

namespace auren::app {

std::optional<std::string> CheckBody(std::string_view body, bool json) {
  if (body.find('\0') != std::string_view::npos) return "the body holds a NUL byte";
  if (!http::IsUtf8(body)) return "the body is not UTF-8";
  if (!json) return std::nullopt;

  bool in_string = false;
  int depth = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_string) {
      if (c == '"') {
        in_string = false;
      } else if (c == '\\') {
        if (body.substr(i + 1).starts_with("u0000"))
          return "the body holds \\u0000, which no text may";
        ++i;  // whatever is escaped, it ends no string
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) {
        return "the body is nested more than " + std::to_string(kMaxJsonDepth) + " deep";
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return std::nullopt;
}

}  // namespace auren::app
