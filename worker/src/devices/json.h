// A provider's body, parsed once by simdjson and walked by JSON pointers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/json_document.h"

namespace auren::devices {

using Json = simdjson::dom::element;

// A pointer, or several of which the first that leads to something other than null counts.
using Pointers = std::vector<std::string>;

using JsonBody = ingest::JsonDocument;

// What the pointer leads to; nothing when it is absent or null.
std::optional<Json> Find(Json from, std::string_view pointer);
std::optional<Json> Find(Json from, const Pointers& pointers);

// A text, or a number as its text; nothing for anything else.
std::optional<std::string> AsText(Json element);
std::optional<std::string> FindText(Json from, const Pointers& pointers);

std::optional<double> AsNumber(Json element);

// One JSON token: numbers in their shortest form, everything else as it came, without blanks.
std::string Token(Json element);
std::string Token(double number);
std::string QuotedToken(std::string_view text);

// Is `text` a JSON pointer: empty, or parts that each begin with '/'?
bool IsPointer(std::string_view text);

}  // namespace auren::devices
