// The head of a request (request line and headers), read strictly. The HTTP library behind the
// server is lenient here, and two readers that disagree are how requests get smuggled; so this one
// decides, and the library is given only the canonical head that CanonicalHead writes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace auren::http {

struct HeadLimits {
  std::size_t request_line = 4096;  // 414
  std::size_t bytes = 32 << 10;     // 431
  int headers = 100;                // 431
};

struct Head {
  std::string method, path, query;  // as sent; path begins with a slash
  int minor_version = 1;            // HTTP/1.0 or HTTP/1.1
  std::map<std::string, std::string> headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// `raw` ends with the empty line. A refusal is the answer to give; the connection must then be
// closed, because nobody knows where the next request would begin.
std::optional<Response> ParseHead(std::string_view raw, const HeadLimits& limits, Head* head);

// What the library gets to see: no client header but the framing of the body.
std::string CanonicalHead(const Head& head);

}  // namespace auren::http
