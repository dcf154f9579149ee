#include "ingest/json_document.h"

namespace auren::ingest {
namespace {

// An escaped NUL is legal JSON, but no text of PostgreSQL can hold one. A backslash before the
// escape's own backslash makes it plain text, so an odd run of them counts.
bool HasEscapedNul(std::string_view text) {
  constexpr std::string_view kNul = "\\u0000";
  for (std::size_t at = text.find(kNul); at != std::string_view::npos;
       at = text.find(kNul, at + 1)) {
    std::size_t backslashes = 1;
    while (backslashes <= at && text[at - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 1) return true;
  }
  return false;
}

}  // namespace

bool JsonDocument::Parse(std::string_view text, std::string* error) {
  simdjson::error_code code = simdjson::SUCCESS;
  if (parser_.capacity() < text.size() || parser_.max_depth() != kMaxDepth) {
    code = parser_.allocate(text.size(), kMaxDepth);
  }
  if (code == simdjson::SUCCESS) {
    code = parser_.parse(text.data(), text.size()).get(root_);
  }
  if (code == simdjson::DEPTH_ERROR) {
    *error = "nested more than 64 levels deep";
  } else if (code != simdjson::SUCCESS) {
    *error = std::string("not JSON: ") + simdjson::error_message(code);
  } else if (HasEscapedNul(text)) {
    *error = "a text holds the character U+0000, which cannot be stored";
  } else {
    return true;
  }
  return false;
}

}  // namespace auren::ingest
