// One line of JSON per event on stderr: ts (RFC 3339, UTC, milliseconds), level, msg, component,
// then the fields given. The level and the masking key are set once at start and may change at a
// reload.
//
// Never put an id of a person, a key, a token, a query string or a payload in a field: UserHash
// masks.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace auren::ops::log {

enum class Level { kDebug, kInfo, kWarn, kError };

struct Field {
  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  Field(std::string_view name, const std::string& text)
      : key(name), value(std::string_view(text)) {}
  Field(std::string_view name, int number) : key(name), value(std::int64_t{number}) {}
  Field(std::string_view name, std::int64_t number) : key(name), value(number) {}
  Field(std::string_view name, double number) : key(name), value(number) {}

  std::string_view key;
  std::variant<std::string_view, std::int64_t, double> value;
};
using Fields = std::initializer_list<Field>;

void Debug(std::string_view component, std::string_view msg, Fields fields = {});
void Info(std::string_view component, std::string_view msg, Fields fields = {});
void Warn(std::string_view component, std::string_view msg, Fields fields = {});
void Error(std::string_view component, std::string_view msg, Fields fields = {});

// debug, info, warn or error; anything else leaves the level as it is and returns false.
bool SetLevel(std::string_view level);

// Where the lines go instead of stderr; empty: stderr again. For tests.
void SetSink(std::function<void(const std::string& line)> sink);

// 12 hex digits of HMAC-SHA256(key, user id): the same person is recognised, nobody is named. With
// an empty key a random one is drawn, and said so once.
void SetUserHashKey(std::string_view key);
std::string UserHash(std::string_view user_id);

}  // namespace auren::ops::log
