#include "http/exchange.h"

#include <httplib.h>

#include <algorithm>

#include "http/problem.h"
#include "http/text.h"

namespace auren::http {
namespace {

bool IsJsonType(const std::string& type) {
  return type.empty() || type == "application/json" || type == "text/json" ||
         type.ends_with("+json");
}

// The library's view of a connection.
class ConnectionStream : public httplib::Stream {
 public:
  explicit ConnectionStream(Connection* connection) : connection_(connection) {}
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* data, size_t size) override { return connection_->Read(data, size); }
  ssize_t write(const char* data, size_t size) override {
    connection_->Write({data, size});
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = connection_->peer();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  socket_t socket() const override { return connection_->fd(); }

 private:
  Connection* connection_;
};

class LibraryBody : public BodyReader {
 public:
  LibraryBody(const httplib::ContentReader* reader, Connection* connection, const Head* head,
              Budget::Share* share, const ServerOptions* options)
      : reader_(reader), connection_(connection), head_(head), share_(share), options_(options) {}

  bool Read(const BodyRules& rules, std::string* body, Response* refusal) override {
    if (auto no = Refuse(rules)) {
      *refusal = std::move(*no);
      return false;
    }
    if (head_->expects_continue) connection_->Write("HTTP/1.1 100 Continue\r\n\r\n");
    // Chunks may be small; past twice the allowed body their framing is an attack.
    connection_->AllowBody(
        Connection::Clock::now() + options_->body_timeout,
        head_->chunked ? 2 * rules.max_bytes + (64 << 10) : head_->content_length.value_or(0));
    bool too_large = false, no_budget = false;
    const bool complete = (*reader_)([&](const char* data, size_t size) {
      if (body->size() + size > rules.max_bytes) {
        too_large = true;
        return false;
      }
      if (!share_->Grow(static_cast<std::int64_t>(body->size() + size))) {
        no_budget = true;
        return false;
      }
      body->append(data, size);
      return true;
    });
    if (complete && !too_large && !no_budget) {
      consumed_ = true;
      return true;
    }
    const Connection::Io failure = connection_->body_failure();
    if (too_large || failure == Connection::Io::kTooLarge) {
      *refusal = TooLarge(rules);
    } else if (no_budget) {
      *refusal = Problem("queue_full", "too many or too large bodies are being read", 503, 1);
    } else if (failure == Connection::Io::kTimeout) {
      *refusal = Problem("request_timeout", "the body did not arrive in time");
    } else {
      *refusal = Problem("malformed", "the body ended early, or is not what its headers say");
    }
    return false;
  }

  bool consumed() const { return consumed_; }

 private:
  // What can be decided before a byte of the body is read.
  std::optional<Response> Refuse(const BodyRules& rules) const {
    const auto type_header = head_->headers.find("content-type");
    const std::string type =
        type_header == head_->headers.end() ? "" : MediaType(type_header->second);
    const bool form = type == "application/x-www-form-urlencoded";
    if (rules.form ? !(form || type.empty()) : !IsJsonType(type)) {
      return Problem("unsupported_type",
                     rules.form ? "send application/x-www-form-urlencoded"
                                : "send application/json, or a type that ends in +json");
    }
    const auto encoding = head_->headers.find("content-encoding");
    if (encoding != head_->headers.end()) {
      const std::string name = Lower(encoding->second);
      if (name != "gzip" && name != "identity" && !name.empty()) {
        return Problem("unsupported_type", "the only Content-Encoding known here is gzip");
      }
    }
    if (head_->content_length.value_or(0) > rules.max_bytes) return TooLarge(rules);
    if (!share_->Grow(static_cast<std::int64_t>(head_->content_length.value_or(0)))) {
      return Problem("queue_full", "too many or too large bodies are being read", 503, 1);
    }
    return std::nullopt;
  }

  static Response TooLarge(const BodyRules& rules) {
    return Problem("too_large",
                   "at most " + std::to_string(rules.max_bytes) + " bytes after any inflation");
  }

  const httplib::ContentReader* reader_;
  Connection* connection_;
  const Head* head_;
  Budget::Share* share_;
  const ServerOptions* options_;
  bool consumed_ = false;
};

}  // namespace

class Library::Engine : public httplib::Server {
 public:
  // What the library's handlers, which it finds by address alone, are to answer on this thread.
  struct Pending {
    std::function<Response(const httplib::ContentReader*)> answer;
    bool close = false;
  };
  static thread_local Pending* pending;

  Engine() {
    Get("/", [](const httplib::Request& req, httplib::Response& res) { Run(req, res, nullptr); });
    Post("/", [](const httplib::Request& req, httplib::Response& res,
                 const httplib::ContentReader& reader) { Run(req, res, &reader); });
    // The library would put the exception's text into a header.
    set_exception_handler(
        [](const httplib::Request& req, httplib::Response& res, const std::exception_ptr&) {
          Emit(req, res, Problem("internal", {}));
        });
  }

  bool Process(httplib::Stream& stream) {
    bool closed = false;
    return process_request(stream, pending->close, closed, nullptr);
  }

 private:
  static void Run(const httplib::Request& req, httplib::Response& res,
                  const httplib::ContentReader* reader) {
    Emit(req, res, pending->answer(reader));
  }

  static void Emit(const httplib::Request& req, httplib::Response& res, const Response& response) {
    res.status = response.status;
    for (const auto& [name, value] : response.headers) res.set_header(name, value);
    if (!response.body.empty()) res.set_content(response.body, response.content_type);
    pending->close |= response.close;
    // The library asks the request whether to announce the end of the connection, after the
    // handler.
    if (pending->close) const_cast<httplib::Request&>(req).set_header("Connection", "close");
  }
};

thread_local Library::Engine::Pending* Library::Engine::pending = nullptr;

Library::Library(const ServerOptions& options)
    : options_(options), engine_(std::make_unique<Engine>()) {
  engine_->set_keep_alive_max_count(static_cast<std::size_t>(options.max_requests_per_connection));
  engine_->set_keep_alive_timeout(
      std::chrono::duration_cast<std::chrono::seconds>(options.idle_timeout).count());
}

Library::~Library() = default;

bool Library::Exchange(Connection& connection, const Head& head, bool must_close,
                       Budget::Share& share, Request& request,
                       const std::function<Response(Request&)>& answer) {
  Engine::Pending pending;
  pending.close = must_close || !head.keep_alive;
  bool body_left = head.has_body();
  pending.answer = [&](const httplib::ContentReader* reader) {
    LibraryBody body(reader, &connection, &head, &share, &options_);
    request.body = reader == nullptr ? nullptr : &body;
    Response response = answer(request);
    request.body = nullptr;
    share.Release();
    body_left = head.has_body() && !body.consumed();
    // Nobody knows where the next request begins behind a body that was not read.
    response.close |= body_left;
    return response;
  };
  Engine::pending = &pending;
  connection.BeginRequest(CanonicalHead(head));
  ConnectionStream stream(&connection);
  const bool written = engine_->Process(stream);
  Engine::pending = nullptr;
  const bool flushed = connection.Flush(Connection::Clock::now() + options_.write_timeout);
  if (pending.close && flushed && body_left) connection.Linger();
  return written && flushed && !pending.close;
}

}  // namespace auren::http
