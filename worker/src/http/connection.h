// The bytes of one accepted socket, plain or TLS, with a deadline on everything. It keeps what was
// read too far, so requests may be pipelined, and gathers an answer into one send.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace auren::http {

class Connection {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Io { kOk, kClosed, kTimeout, kTooLarge };

  // Takes the socket over. `tls` null: plain. `tls` outlives the connection.
  Connection(int fd, SSL_CTX* tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool Handshake(Clock::time_point deadline);  // true at once when plain

  // Waits for the first byte of a request.
  Io AwaitRequest(std::chrono::milliseconds timeout);

  // Reads up to and including the empty line that ends a head.
  Io ReadHead(Clock::time_point deadline, std::size_t max_bytes, std::string* head);

  // From here until the next ReadHead, Read gives `head` and then, once allowed, at most
  // `max_bytes` of what follows.
  void BeginRequest(std::string head);
  void AllowBody(Clock::time_point deadline, std::size_t max_bytes);
  // As read(2): 0 at the end, -1 on failure; body_failure() says which.
  std::ptrdiff_t Read(char* data, std::size_t size);
  Io body_failure() const { return body_failure_; }

  void Write(std::string_view data) { out_.append(data); }
  bool Flush(Clock::time_point deadline);

  // Ends an answered connection whose client may still be sending: closing at once would make its
  // system throw our answer away. Reads on for a moment, bounded in time and bytes.
  void Linger();

  const std::string& peer() const { return peer_; }  // address without the port
  int fd() const { return fd_; }

 private:
  Io Fill(Clock::time_point deadline);  // at least one byte more in in_
  Io Wait(short events, Clock::time_point deadline);

  const int fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  std::string peer_;
  std::string in_;  // read, not yet used
  std::size_t used_ = 0;
  std::string head_;  // to be given before the body
  std::size_t head_used_ = 0;
  std::size_t body_left_ = 0;
  Clock::time_point body_deadline_{};
  Io body_failure_ = Io::kOk;
  std::string out_;
};

}  // namespace auren::http
