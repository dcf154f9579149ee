// The HTTP server: sockets, threads and guards around cpp-httplib 0.11.4, which parses bodies and
// writes answers. Why each guard is there: docs/SECURITY.md.
//
// - The head is read and checked here (head.h); the library sees only a canonical one.
// - Every body is counted after inflation; all bodies together and the large ones have a budget.
// - Head, body and answer each have a deadline; idle connections give way when others wait.
// - Too many requests in flight, connections waiting, or connections of one address: 503,
// Retry-After.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/client_address.h"
#include "http/head.h"
#include "http/message.h"
#include "http/tls.h"

namespace auren::http {

struct ServerOptions {
  std::string name = "http";  // of its threads and in logs
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  int threads = 128;       // each serves one connection at a time
  int backlog = 1024;
  int max_waiting = 1024;   // accepted connections that wait for a thread
  int max_in_flight = 0;    // requests being answered; 0: seven eighths of the threads
  int max_per_address = 0;  // connections of one address; 0: three quarters of the threads
  int max_requests_per_connection = 100000;
  std::int64_t max_body_bytes = 64 << 20;  // of all requests together
  int max_large_bodies = 2;                // over 1 MiB, at once
  HeadLimits head;
  std::chrono::milliseconds head_timeout{10000};
  std::chrono::milliseconds body_timeout{10000};
  std::chrono::milliseconds write_timeout{10000};
  std::chrono::milliseconds idle_timeout{30000};
  TlsContext tls;  // null: plain HTTP
};

class Server {
 public:
  // Called from many threads at once; does not throw.
  using Handler = std::function<Response(Request&)>;

  Server(ServerOptions options, Handler handler);
  ~Server();  // Stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds, listens, starts the threads. False: `error` says why ("address already in use").
  bool Start(std::string* error);
  std::uint16_t port() const;  // the real one, after Start

  // May be changed while serving (configuration reload).
  void SetTrustedProxies(std::shared_ptr<const TrustedProxies> proxies);

  // Stops accepting, lets every request that has begun end, closes idle connections. Idempotent.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auren::http
