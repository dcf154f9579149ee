// A JSON text that came from outside, parsed once by simdjson and fit to be stored as jsonb.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace auren::ingest {

// Owns what was parsed; elements live until the next Parse. Its memory is kept for the next text,
// so one for each thread costs no allocation for most of them.
class JsonDocument {
 public:
  static constexpr std::size_t kMaxDepth = 64;

  // False, with `error` set, for what is not one JSON document that PostgreSQL can store: bad
  // syntax, invalid UTF-8 (surrogates alone included), a byte order mark, NUL bytes raw or escaped,
  // numbers outside of double and 64 bits, or more than 64 levels of nesting. `error` holds no byte
  // of the text.
  bool Parse(std::string_view text, std::string* error);
  simdjson::dom::element root() const { return root_; }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
};

}  // namespace auren::ingest
