#include "http/server.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "http/exchange.h"
#include "http/problem.h"
#include "http/text.h"

namespace auren::http {
namespace {

using Clock = Connection::Clock;
using std::chrono::milliseconds;

ServerOptions Completed(ServerOptions options) {
  if (options.max_in_flight == 0) {
    options.max_in_flight = std::max(1, options.threads - options.threads / 8);
  }
  if (options.max_per_address == 0) {
    options.max_per_address = std::max(1, options.threads - options.threads / 4);
  }
  return options;
}

// The trace of a valid W3C traceparent (00-<32 hex>-<16 hex>-<2 hex>), or a new one.
std::string TraceId(std::string_view traceparent) {
  constexpr std::string_view kHex = "0123456789abcdef";
  if (traceparent.size() >= 55 && traceparent[2] == '-' && traceparent[35] == '-') {
    const std::string_view id = traceparent.substr(3, 32);
    if (id.find_first_not_of(kHex) == id.npos && id.find_first_not_of('0') != id.npos) {
      return std::string(id);
    }
  }
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::string id;
  for (int i = 0; i < 2; ++i) {
    std::uint64_t bits = random();
    for (int digit = 0; digit < 16; ++digit, bits >>= 4) id.push_back(kHex[bits & 0xf]);
  }
  return id;
}

int Listen(const std::string& host, std::uint16_t port, int backlog, std::string* error) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                 std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    *error = gai_strerror(failed);
    return -1;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  *error = "no address";
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) continue;
    // Not SO_REUSEPORT: two workers must not share a port unknowingly.
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, backlog) == 0) return fd;
    *error = std::strerror(errno);
    close(fd);
  }
  return -1;
}

std::uint16_t BoundPort(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, Handler handler)
      : options_(Completed(std::move(options))),
        handler_(std::move(handler)),
        library_(options_),
        budget_(options_.max_body_bytes, options_.max_large_bodies, options_.max_in_flight) {}
  ~Impl() { Stop(); }

  bool Start(std::string* error) {
    listen_fd_ = Listen(options_.host, options_.port, options_.backlog, error);
    if (listen_fd_ < 0) return false;
    port_ = BoundPort(listen_fd_);
    wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    acceptor_ = std::thread([this] { Accept(); });
    for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Work(); });
    return true;
  }

  void Stop() {
    const std::lock_guard stopping_once(stop_mutex_);
    if (listen_fd_ < 0) return;
    stopping_ = true;
    const std::uint64_t one = 1;
    if (write(wake_fd_, &one, sizeof(one)) < 0)
      std::terminate();  // an eventfd of ours always takes it
    acceptor_.join();
    close(listen_fd_);
    listen_fd_ = -1;
    {
      const std::lock_guard lock(mutex_);
      accepting_ = false;
    }
    arrived_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    close(wake_fd_);
  }

  std::uint16_t port() const { return port_; }

  void SetTrustedProxies(std::shared_ptr<const TrustedProxies> proxies) {
    const std::lock_guard lock(mutex_);
    proxies_ = std::move(proxies);
  }

 private:
  void Accept() {
    pthread_setname_np(pthread_self(), (options_.name + "-accept").c_str());
    for (;;) {
      pollfd fds[2] = {{listen_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
      poll(fds, 2, -1);
      for (;;) {
        const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
          Admit(std::make_unique<Connection>(fd, options_.tls.get()));
          continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
          // The listening socket stays readable: without a pause this would spin.
          std::this_thread::sleep_for(milliseconds(10));
        }
        break;
      }
      // Those whom the kernel had already greeted were taken above: stopping resets nobody.
      if (stopping_) return;
    }
  }

  void Admit(std::unique_ptr<Connection> connection) {
    if (Enqueue(connection)) return arrived_.notify_one();
    if (!options_.tls) {
      // One write into an empty socket buffer cannot block; a TLS client learns it by the close.
      const Response full = Problem("queue_full", "too many connections");
      connection->Write(
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
          "Content-Type: application/problem+json\r\nContent-Length: " +
          std::to_string(full.body.size()) + "\r\n\r\n" + full.body);
      connection->Flush(Clock::now());
    }
  }

  // Takes the connection over, unless too many wait or its address holds its share.
  bool Enqueue(std::unique_ptr<Connection>& connection) {
    const std::lock_guard lock(mutex_);
    const bool trusted = proxies_ && proxies_->Contains(connection->peer());
    int& of_address = per_address_[connection->peer()];
    if (static_cast<int>(waiting_.size()) < options_.max_waiting &&
        (trusted || of_address < options_.max_per_address)) {
      ++of_address;
      waiting_.push_back(std::move(connection));
      return true;
    }
    if (of_address == 0) per_address_.erase(connection->peer());
    return false;
  }

  void Work() {
    pthread_setname_np(pthread_self(), options_.name.c_str());
    std::unique_lock lock(mutex_);
    for (;;) {
      arrived_.wait(lock, [this] { return !waiting_.empty() || !accepting_; });
      if (waiting_.empty()) return;
      const std::unique_ptr<Connection> connection = std::move(waiting_.front());
      waiting_.pop_front();
      ++busy_threads_;
      lock.unlock();
      Serve(*connection);
      lock.lock();
      --busy_threads_;
      const auto it = per_address_.find(connection->peer());
      if (--it->second == 0) per_address_.erase(it);
    }
  }

  // More connections than threads that are free, or on their way to them.
  bool OthersWait() {
    const std::lock_guard lock(mutex_);
    return waiting_.size() + busy_threads_ > static_cast<std::size_t>(options_.threads);
  }

  void Serve(Connection& connection) {
    if (!connection.Handshake(Clock::now() + options_.head_timeout)) return;
    for (int served = 0; served < options_.max_requests_per_connection; ++served) {
      if (!AwaitRequest(connection, served == 0)) return;
      if (!ServeOne(connection, served + 1 == options_.max_requests_per_connection)) return;
    }
  }

  // An idle connection gives its thread up when the server stops or others wait for one.
  bool AwaitRequest(Connection& connection, bool first) {
    const milliseconds patience = first ? options_.head_timeout : options_.idle_timeout;
    const Clock::time_point deadline = Clock::now() + patience;
    for (;;) {
      const bool stopping = stopping_;
      const auto io = connection.AwaitRequest(milliseconds(stopping ? 0 : 100));
      if (io == Connection::Io::kOk) return true;
      if (io != Connection::Io::kTimeout || stopping || Clock::now() >= deadline) return false;
      if (!first && OthersWait()) return false;
    }
  }

  bool ServeOne(Connection& connection, bool last) {
    std::string raw;
    Head head;
    std::optional<Response> refusal;
    switch (connection.ReadHead(Clock::now() + options_.head_timeout, options_.head.bytes, &raw)) {
      case Connection::Io::kOk:
        refusal = ParseHead(raw, options_.head, &head);
        break;
      case Connection::Io::kClosed:
        return false;
      case Connection::Io::kTimeout:
        refusal = Problem("request_timeout", "the head of the request did not arrive in time");
        break;
      case Connection::Io::kTooLarge:
        refusal = Problem("too_large",
                          "at most " + std::to_string(options_.head.bytes) + " bytes of head", 431);
        break;
    }
    Request request;
    if (!refusal) refusal = Describe(connection, head, &request);
    Budget::Share share(&budget_);
    if (refusal) {
      refusal->close = true;
      const bool is_head = head.method == "HEAD";
      head = Head();
      head.method = is_head ? "HEAD" : "GET";
      head.keep_alive = false;
      library_.Exchange(connection, head, true, share, request,
                        [&](Request&) { return std::move(*refusal); });
      connection.Linger();
      return false;
    }
    return library_.Exchange(
        connection, head, last || stopping_ || OthersWait(), share, request, [&](Request& asked) {
          if (!share.admitted())
            return Problem("queue_full", "too many requests in flight", 503, 1);
          return handler_(asked);
        });
  }

  std::optional<Response> Describe(const Connection& connection, const Head& head,
                                   Request* request) {
    auto query = ParseQuery(head.query);
    if (!query || !PercentDecode(head.path)) {
      return Problem("malformed", "the address holds a broken escape, a NUL or is not UTF-8");
    }
    request->method = head.method;
    request->path = head.path;
    request->query = std::move(*query);
    request->headers = head.headers;
    request->trace_id = TraceId(request->Header("traceparent"));
    std::shared_ptr<const TrustedProxies> proxies;
    {
      const std::lock_guard lock(mutex_);
      proxies = proxies_;
    }
    request->remote_addr =
        proxies ? proxies->ClientOf(connection.peer(), request->Header("x-forwarded-for"))
                : connection.peer();
    return std::nullopt;
  }

  const ServerOptions options_;
  const Handler handler_;
  Library library_;
  Budget budget_;

  int listen_fd_ = -1, wake_fd_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::mutex stop_mutex_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::unique_ptr<Connection>> waiting_;
  std::unordered_map<std::string, int> per_address_;
  std::shared_ptr<const TrustedProxies> proxies_;
  std::size_t busy_threads_ = 0;
  bool accepting_ = true;

  std::thread acceptor_;
  std::vector<std::thread> threads_;
};

Server::Server(ServerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}
Server::~Server() = default;
bool Server::Start(std::string* error) { return impl_->Start(error); }
std::uint16_t Server::port() const { return impl_->port(); }
void Server::SetTrustedProxies(std::shared_ptr<const TrustedProxies> proxies) {
  impl_->SetTrustedProxies(std::move(proxies));
}
void Server::Stop() { impl_->Stop(); }

}  // namespace auren::http
