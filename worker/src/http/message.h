// A request and an answer as the rest of the worker sees them. Nothing here knows the HTTP library.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace auren::http {

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers;
  std::string code;    // the problem's code, for logs; empty: none
  bool close = false;  // end the connection after this answer
};

// What a route allows of a body, decided before a byte of it is read.
struct BodyRules {
  std::size_t max_bytes = 1 << 20;  // after inflation
  bool form = false;                // application/x-www-form-urlencoded instead of JSON
};

// The body of one request; read at most once.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // True: `body` holds all of it, and its bytes are counted against the server's budget until the
  // request is answered. False: `refusal` is the answer to give.
  virtual bool Read(const BodyRules& rules, std::string* body, Response* refusal) = 0;
};

struct Request {
  std::string method;
  std::string path;                            // as sent, without the query
  std::map<std::string, std::string> headers;  // names in lower case; the first value of each
  std::map<std::string, std::string> query;    // decoded; the first value of each
  std::map<std::string, std::string> params;   // the route template's {names}, decoded
  std::string route;                           // the template that matched, for metrics
  std::string remote_addr;                     // the client's, seen through trusted proxies only
  std::string trace_id;                        // 32 hex: from traceparent, or made here
  BodyReader* body = nullptr;

  std::string_view Header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? std::string_view() : std::string_view(it->second);
  }
};

}  // namespace auren::http
