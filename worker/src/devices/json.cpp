#include "devices/json.h"

#include <charconv>

#include "ingest/json_text.h"

namespace auren::devices {
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
