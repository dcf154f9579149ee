#include "http/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace auren::http {
namespace {

std::string PeerAddress(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  } else if (address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text.data(), text.size());
    } else {
      inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    }
  }
  return text.data();
}

}  // namespace

Connection::Connection(int fd, SSL_CTX* tls) : fd_(fd), ssl_(nullptr, SSL_free) {
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  // Without it a kept-alive answer waits some 40 ms for the client's delayed acknowledgement.
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  peer_ = PeerAddress(fd_);
  if (tls != nullptr) {
    ssl_.reset(SSL_new(tls));
    SSL_set_fd(ssl_.get(), fd_);
    SSL_set_accept_state(ssl_.get());
  }
}

Connection::~Connection() {
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ssl_.reset();
  close(fd_);
}

Connection::Io Connection::Wait(short events, Clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd poll_fd{fd_, events, 0};
    const int ready =
        poll(&poll_fd, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30)));
    if (ready > 0) return Io::kOk;  // an error or hang-up shows in the next read or write
    if (ready == 0) {
      if (left <= 0) return Io::kTimeout;
    } else if (errno != EINTR) {
      return Io::kClosed;
    }
  }
}

bool Connection::Handshake(Clock::time_point deadline) {
  if (!ssl_) return true;
  for (;;) {
    ERR_clear_error();
    const int done = SSL_accept(ssl_.get());
    if (done == 1) return true;
    const int error = SSL_get_error(ssl_.get(), done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
    if (Wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline) != Io::kOk) return false;
  }
}

Connection::Io Connection::Fill(Clock::time_point deadline) {
  if (used_ > 0) {
    in_.erase(0, used_);
    used_ = 0;
  }
  std::array<char, 16384> buffer;
  for (;;) {
    short wanted = POLLIN;
    if (ssl_) {
      ERR_clear_error();
      const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (got > 0) {
        in_.append(buffer.data(), static_cast<std::size_t>(got));
        return Io::kOk;
      }
      const int error = SSL_get_error(ssl_.get(), got);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return Io::kClosed;
      if (error == SSL_ERROR_WANT_WRITE) wanted = POLLOUT;
    } else {
      const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
      if (got > 0) {
        in_.append(buffer.data(), static_cast<std::size_t>(got));
        return Io::kOk;
      }
      if (got == 0) return Io::kClosed;
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return Io::kClosed;
    }
    if (const Io io = Wait(wanted, deadline); io != Io::kOk) return io;
  }
}

Connection::Io Connection::AwaitRequest(std::chrono::milliseconds timeout) {
  if (used_ < in_.size()) return Io::kOk;
  return Fill(Clock::now() + timeout);
}

Connection::Io Connection::ReadHead(Clock::time_point deadline, std::size_t max_bytes,
                                    std::string* head) {
  std::size_t searched = used_;
  for (;;) {
    const std::size_t end = in_.find("\r\n\r\n", searched);
    if (end != std::string::npos && end + 4 - used_ <= max_bytes) {
      *head = in_.substr(used_, end + 4 - used_);
      used_ = end + 4;
      return Io::kOk;
    }
    if (in_.size() - used_ >= max_bytes || end != std::string::npos) return Io::kTooLarge;
    searched = in_.size() - used_ < 3 ? 0 : in_.size() - used_ - 3;  // after Fill, used_ is 0
    if (const Io io = Fill(deadline); io != Io::kOk) return io;
  }
}

void Connection::BeginRequest(std::string head) {
  head_ = std::move(head);
  head_used_ = 0;
  body_left_ = 0;
  body_failure_ = Io::kOk;
}

void Connection::AllowBody(Clock::time_point deadline, std::size_t max_bytes) {
  body_deadline_ = deadline;
  body_left_ = max_bytes;
}

std::ptrdiff_t Connection::Read(char* data, std::size_t size) {
  if (head_used_ < head_.size()) {
    const std::size_t count = std::min(size, head_.size() - head_used_);
    std::memcpy(data, head_.data() + head_used_, count);
    head_used_ += count;
    return static_cast<std::ptrdiff_t>(count);
  }
  if (body_left_ == 0) {
    body_failure_ = Io::kTooLarge;
    return -1;
  }
  if (used_ == in_.size()) {
    if (!out_.empty() && !Flush(body_deadline_)) return -1;  // 100 Continue, before we wait
    body_failure_ = Fill(body_deadline_);
    if (body_failure_ == Io::kClosed) return 0;
    if (body_failure_ != Io::kOk) return -1;
  }
  const std::size_t count = std::min({size, in_.size() - used_, body_left_});
  std::memcpy(data, in_.data() + used_, count);
  used_ += count;
  body_left_ -= count;
  return static_cast<std::ptrdiff_t>(count);
}

bool Connection::Flush(Clock::time_point deadline) {
  std::size_t sent = 0;
  while (sent < out_.size()) {
    short wanted = POLLOUT;
    if (ssl_) {
      ERR_clear_error();
      const int done =
          SSL_write(ssl_.get(), out_.data() + sent,
                    static_cast<int>(std::min<std::size_t>(out_.size() - sent, 1 << 20)));
      if (done > 0) {
        sent += static_cast<std::size_t>(done);
        continue;
      }
      const int error = SSL_get_error(ssl_.get(), done);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) break;
      if (error == SSL_ERROR_WANT_READ) wanted = POLLIN;
    } else {
      const ssize_t done = send(fd_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
      if (done >= 0) {
        sent += static_cast<std::size_t>(done);
        continue;
      }
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) break;
    }
    if (Wait(wanted, deadline) != Io::kOk) break;
  }
  const bool all = sent == out_.size();
  out_.clear();
  return all;
}

void Connection::Linger() {
  if (ssl_) SSL_shutdown(ssl_.get());
  shutdown(fd_, SHUT_WR);
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(1);
  for (int rounds = 0; rounds < 64; ++rounds) {  // at most 1 MiB
    std::array<char, 16384> buffer;
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return;
    if (got < 0 && Wait(POLLIN, deadline) != Io::kOk) return;
  }
}

}  // namespace auren::http
