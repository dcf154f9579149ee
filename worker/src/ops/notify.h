// What a supervisor hears of the worker: systemd's notification protocol (Type=notify), spoken by
// hand. One datagram per message to the socket that NOTIFY_SOCKET names, a path or (with @) an
// abstract name. Without that variable nothing is said.
//
//   READY=1                      the ports listen, and the dependencies have been looked at
//   STATUS=...                   one line: what /ready says, with the check that fails
//   WATCHDOG=1                   every half of WATCHDOG_USEC, while no thread is silent
//   RELOADING=1, then READY=1    around a reload
//   STOPPING=1                   at SIGTERM
//
// Nothing here blocks or fails: a message that the socket has no room for is sent at the next Tick.
// Used by one thread.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace auren::ops {

class Notify {
 public:
  using Clock = std::chrono::steady_clock;

  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which must be this process where it is
  // set. A name that is neither a path nor abstract, or too long, is said in the log and not used.
  explicit Notify(const std::map<std::string, std::string>& environment);
  ~Notify();
  Notify(const Notify&) = delete;
  Notify& operator=(const Notify&) = delete;

  void Ready();  // also the end of a reload
  void Reloading();
  void Stopping();

  // To be called at least every patience(): says what is due. `status` is one line; `healthy`: no
  // thread is silent.
  void Tick(const std::string& status, bool healthy, Clock::time_point now = Clock::now());

  // How long Tick may be put off: a second, or less with a short watchdog.
  double patience() const;

 private:
  bool Send(std::string_view message);
  void Say(std::string_view message);  // now, or at the next Tick
  void Flush();

  int socket_ = -1;
  std::string address_;         // as in NOTIFY_SOCKET
  Clock::duration watchdog_{};  // half of WATCHDOG_USEC; 0: nobody watches
  Clock::time_point watchdog_at_{};
  std::string unsent_;         // what there was no room for
  std::string status_, said_;  // as it is, and as it was last said
};

}  // namespace auren::ops
