#include "ops/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "ops/log.h"

namespace auren::ops {
namespace {

constexpr std::size_t kMostUnsent = 4096;

std::string Get(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::int64_t Number(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

// A line break would begin another assignment.
std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::int64_t MonotonicMicroseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000;
}

}  // namespace

Notify::Notify(const std::map<std::string, std::string>& environment)
    : address_(Get(environment, "NOTIFY_SOCKET")) {
  if (address_.empty()) return;
  if ((address_[0] != '/' && address_[0] != '@') ||
      address_.size() >= sizeof(sockaddr_un::sun_path)) {
    log::Warn("notify",
              "NOTIFY_SOCKET is neither a path nor an abstract name; nothing is sent to it");
    return;
  }
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) {
    log::Warn("notify", "no socket for NOTIFY_SOCKET", {{"error", std::strerror(errno)}});
    return;
  }
  const std::string pid = Get(environment, "WATCHDOG_PID");
  if (pid.empty() || Number(pid) == getpid()) {
    watchdog_ = std::chrono::microseconds(Number(Get(environment, "WATCHDOG_USEC")) / 2);
  }
}

Notify::~Notify() {
  if (socket_ >= 0) close(socket_);
}

bool Notify::Send(std::string_view message) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (address_[0] == '@') to.sun_path[0] = '\0';
  // A path ends with a NUL, an abstract name with its last byte.
  const std::size_t length =
      offsetof(sockaddr_un, sun_path) + address_.size() + (address_[0] == '@' ? 0 : 1);
  const ssize_t sent =
      sendto(socket_, message.data(), message.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&to), static_cast<socklen_t>(length));
  return sent == static_cast<ssize_t>(message.size());
}

void Notify::Say(std::string_view message) {
  if (unsent_.size() > kMostUnsent) unsent_.clear();  // nobody listens
  unsent_.append(unsent_.empty() ? "" : "\n").append(message);
  Flush();
}

// All that is unsaid in one message, in order; of several states only the newest.
void Notify::Flush() {
  if (socket_ < 0 || (unsent_.empty() && status_ == said_)) return;
  std::string message = unsent_;
  if (status_ != said_) {
    message += (message.empty() ? "STATUS=" : "\nSTATUS=") + OneLine(status_);
  }
  if (!Send(message)) return;
  unsent_.clear();
  said_ = status_;
}

void Notify::Ready() { Say("READY=1"); }

void Notify::Reloading() {
  Say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(MonotonicMicroseconds()));
}

void Notify::Stopping() { Say("STOPPING=1"); }

void Notify::Tick(const std::string& status, bool healthy, Clock::time_point now) {
  status_ = status;
  Flush();
  if (socket_ < 0 || watchdog_ <= Clock::duration::zero()) return;
  if (healthy && now >= watchdog_at_ && Send("WATCHDOG=1")) watchdog_at_ = now + watchdog_;
}

double Notify::patience() const {
  const double half = std::chrono::duration<double>(watchdog_).count();
  return half > 0 ? std::min(1.0, half / 2) : 1.0;
}

}  // namespace auren::ops
