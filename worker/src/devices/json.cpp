#include "devices/json.h"

#include <charconv>

#include "ingest/json_text.h"

namespace auren::devices {
namespace {

constexpr std::size_t kMaxDepth = 64;

// An escaped NUL is legal JSON, but no text of PostgreSQL can hold one. A backslash before the
// escape's own backslash makes it plain text, so an odd run of them counts.
bool HasEscapedNul(std::string_view body) {
  constexpr std::string_view kNul = "\\u0000";
  for (std::size_t at = body.find(kNul); at != std::string_view::npos;
       at = body.find(kNul, at + 1)) {
    std::size_t backslashes = 1;
    while (backslashes <= at && body[at - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 1) return true;
  }
  return false;
}

}  // namespace

bool JsonBody::Parse(std::string_view body, std::string* error) {
  simdjson::error_code code = parser_.allocate(body.size(), kMaxDepth);
  if (code == simdjson::SUCCESS) {
    code = parser_.parse(body.data(), body.size()).get(root_);
  }
  if (code == simdjson::DEPTH_ERROR) {
    *error = "nested more than 64 levels deep";
  } else if (code != simdjson::SUCCESS) {
    *error = std::string("not JSON: ") + simdjson::error_message(code);
  } else if (HasEscapedNul(body)) {
    *error = "a text holds the character U+0000, which cannot be stored";
  } else {
    return true;
  }
  return false;
}

std::optional<Json> Find(Json from, std::string_view pointer) {
  Json found;
  if (from.at_pointer(pointer).get(found) != simdjson::SUCCESS || found.is_null()) {
    return std::nullopt;
  }
  return found;
}

std::optional<Json> Find(Json from, const Pointers& pointers) {
  for (const std::string& pointer : pointers) {
    if (std::optional<Json> found = Find(from, pointer)) return found;
  }
  return std::nullopt;
}

std::optional<std::string> AsText(Json element) {
  std::string_view text;
  if (element.get(text) == simdjson::SUCCESS) return std::string(text);
  if (element.is_number()) return Token(element);
  return std::nullopt;
}

std::optional<std::string> FindText(Json from, const Pointers& pointers) {
  const std::optional<Json> found = Find(from, pointers);
  return found ? AsText(*found) : std::nullopt;
}

std::optional<double> AsNumber(Json element) {
  double number = 0;
  if (!element.is_number() || element.get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

std::string Token(double number) {
  char text[40];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  return error == std::errc() ? std::string(text, end) : "null";
}

std::string Token(Json element) {
  if (element.type() == simdjson::dom::element_type::DOUBLE) {
    double number = 0;
    if (element.get(number) == simdjson::SUCCESS) return Token(number);
  }
  return simdjson::minify(element);
}

std::string QuotedToken(std::string_view text) {
  std::string token;
  ingest::AppendJsonString(text, &token);
  return token;
}

bool IsPointer(std::string_view text) { return text.empty() || text.front() == '/'; }

}  // namespace auren::devices
