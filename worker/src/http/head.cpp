#include "http/head.h"

#include <charconv>

#include "http/problem.h"
#include "http/text.h"

namespace auren::http {
namespace {

bool IsToken(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alphanumeric && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool HasControl(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return true;
  }
  return false;
}

Response Malformed(std::string_view detail) { return Problem("malformed", detail); }

std::optional<Response> ParseRequestLine(std::string_view line, Head* head) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Malformed("not an HTTP/1.1 request");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Problem("malformed", "only HTTP/1.1 and HTTP/1.0 are spoken here", 505);
  }
  if (!IsToken(method)) return Malformed("the method is not a token");
  if (!target.starts_with('/') || target.find(' ') != std::string_view::npos ||
      target.find('#') != std::string_view::npos || HasControl(target)) {
    return Malformed("the request target must be a path such as /webhooks/oura");
  }
  const std::size_t question = target.find('?');
  head->method = method;
  head->path = target.substr(0, question);
  if (question != std::string_view::npos) head->query = target.substr(question + 1);
  head->minor_version = version.back() - '0';
  head->keep_alive = head->minor_version == 1;
  return std::nullopt;
}

// The headers that say where the body ends must be unmistakable.
std::optional<Response> ApplyFraming(const std::string& name, std::string_view value, Head* head) {
  if (name == "content-length") {
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (head->content_length || error != std::errc() || end != value.data() + value.size()) {
      return Malformed("Content-Length must be given once, in digits");
    }
    head->content_length = length;
  } else if (name == "transfer-encoding") {
    if (head->chunked || Lower(value) != "chunked" || head->minor_version == 0) {
      return Malformed("the only Transfer-Encoding known here is chunked, once, in HTTP/1.1");
    }
    head->chunked = true;
  } else if (name == "connection") {
    const std::string option = Lower(value);
    if (option.find("close") != std::string::npos) head->keep_alive = false;
    if (head->minor_version == 0 && option == "keep-alive") head->keep_alive = true;
  } else if (name == "expect") {
    if (Lower(value) != "100-continue") {
      return Problem("malformed", "the only Expect known here is 100-continue", 417);
    }
    head->expects_continue = head->minor_version == 1;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Response> ParseHead(std::string_view raw, const HeadLimits& limits, Head* head) {
  int headers = 0;
  bool first = true;
  while (!raw.empty()) {
    const std::size_t end = raw.find('\n');
    if (end == std::string_view::npos || end == 0 || raw[end - 1] != '\r') {
      return Malformed("lines end with CR LF");
    }
    const std::string_view line = raw.substr(0, end - 1);
    raw.remove_prefix(end + 1);
    if (first) {
      first = false;
      if (line.size() > limits.request_line) {
        return Problem("too_large", "the request line is too long", 414);
      }
      if (auto refusal = ParseRequestLine(line, head)) return refusal;
      continue;
    }
    if (line.empty()) break;
    if (++headers > limits.headers) {
      return Problem("too_large", "at most " + std::to_string(limits.headers) + " headers", 431);
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
      return Malformed("a header is a name, a colon and a value, in one line");
    }
    const std::string name = Lower(line.substr(0, colon));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (HasControl(value)) return Malformed("a header's value holds a control character");
    if (auto refusal = ApplyFraming(name, value, head)) return refusal;
    head->headers.emplace(name, value);
  }
  if (head->chunked && head->content_length) {
    return Malformed("Content-Length and Transfer-Encoding exclude each other");
  }
  if (head->method == "POST" && !head->chunked && !head->content_length) {
    return Problem("length_required", "send Content-Length, or Transfer-Encoding: chunked");
  }
  if ((head->method == "GET" || head->method == "HEAD") && head->has_body()) {
    return Malformed("a GET or HEAD has no body here");
  }
  return std::nullopt;
}

std::string CanonicalHead(const Head& head) {
  // Anything but POST is answered without a body being read, which the library does for GET and
  // HEAD.
  const bool reads = head.method == "POST";
  std::string out = reads ? "POST" : head.method == "HEAD" ? "HEAD" : "GET";
  out += " / HTTP/1.1\r\n";
  if (reads) {
    if (head.chunked) {
      out += "Transfer-Encoding: chunked\r\n";
    } else {
      out += "Content-Length: " + std::to_string(head.content_length.value_or(0)) + "\r\n";
    }
    const auto encoding = head.headers.find("content-encoding");
    if (encoding != head.headers.end() && Lower(encoding->second) == "gzip") {
      out += "Content-Encoding: gzip\r\n";
    }
  }
  if (!head.keep_alive) out += "Connection: close\r\n";
  return out + "\r\n";
}

}  // namespace auren::http
