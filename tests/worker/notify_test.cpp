// What a supervisor hears, on a real datagram socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "ops/log.h"
#include "ops/notify.h"
#include "ops/readiness.h"
#include "own_path.h"

namespace auren::ops {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

// The supervisor's end. An address that begins with @ is abstract.
class Supervisor {
 public:
  explicit Supervisor(const std::string& address) : address_(address) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, address.data(), address.size());
    const bool abstract = address[0] == '@';
    if (abstract) name.sun_path[0] = '\0';
    if (!abstract) unlink(address.c_str());
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&name),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() +
                                          (abstract ? 0 : 1))),
              0);
  }
  ~Supervisor() { close(socket_); }

  std::vector<std::string> Heard() {
    std::vector<std::string> messages;
    char buffer[8192];
    for (ssize_t n; (n = recv(socket_, buffer, sizeof(buffer), 0)) >= 0;) {
      messages.emplace_back(buffer, static_cast<std::size_t>(n));
    }
    return messages;
  }
  std::map<std::string, std::string> Environment() const { return {{"NOTIFY_SOCKET", address_}}; }

 private:
  std::string address_;
  int socket_;
};

std::string Path() { return OwnPath("notify"); }
std::string Abstract() { return "@auren-notify-test-" + std::to_string(getpid()); }

class NotifyTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Abstract, NotifyTest, testing::Bool());

TEST_P(NotifyTest, SaysWhatHappens) {
  Supervisor supervisor(GetParam() ? Abstract() : Path());
  Notify notify(supervisor.Environment());
  notify.Ready();
  notify.Tick("ready", true);
  notify.Tick("ready", true);
  notify.Tick("not_ready: postgres (two\nlines)", false);
  notify.Reloading();
  notify.Ready();
  notify.Stopping();
  EXPECT_THAT(
      supervisor.Heard(),
      ElementsAre("READY=1", "STATUS=ready", "STATUS=not_ready: postgres (two lines)",
                  MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"), "READY=1", "STOPPING=1"));
}

TEST(Notify, WatchdogIsHeardEachHalfOfItsTimeAndOnlyOfTheHealthy) {
  Supervisor supervisor(Abstract());
  auto environment = supervisor.Environment();
  environment["WATCHDOG_USEC"] = "30000000";
  environment["WATCHDOG_PID"] = std::to_string(getpid());
  Notify notify(environment);
  EXPECT_EQ(notify.patience(), 1.0);
  const Notify::Clock::time_point start{seconds(1000)};
  const auto beats = [&](seconds at, bool healthy) {
    notify.Tick("ready", healthy, start + at);
    const auto heard = supervisor.Heard();
    return std::count(heard.begin(), heard.end(), "WATCHDOG=1");
  };
  EXPECT_EQ(beats(seconds(0), true), 1);
  EXPECT_EQ(beats(seconds(14), true), 0);
  EXPECT_EQ(beats(seconds(15), true), 1);
  EXPECT_EQ(beats(seconds(31), false), 0);
  EXPECT_EQ(beats(seconds(90), false), 0);
  EXPECT_EQ(beats(seconds(91), true), 1);
}

TEST(Notify, AWatchdogThatIsNotOursIsNotFed) {
  Supervisor supervisor(Abstract());
  for (const auto& [usec, pid] : std::vector<std::pair<std::string, std::string>>{
           {"1000000", std::to_string(getpid() + 1)}, {"", ""}, {"0", ""}, {"soon", ""}}) {
    auto environment = supervisor.Environment();
    environment["WATCHDOG_USEC"] = usec;
    environment["WATCHDOG_PID"] = pid;
    Notify notify(environment);
    notify.Tick("", true);
    EXPECT_THAT(supervisor.Heard(), IsEmpty()) << usec << " " << pid;
  }
}

TEST(Notify, AShortWatchdogShortensPatience) {
  Notify notify({{"NOTIFY_SOCKET", Abstract()}, {"WATCHDOG_USEC", "400000"}});
  EXPECT_DOUBLE_EQ(notify.patience(), 0.1);
}

TEST(Notify, WhatFindsNoRoomIsSaidLaterInOrder) {
  Supervisor supervisor(Abstract());
  Notify notify(supervisor.Environment());
  // A unix socket holds a few messages (net.unix.max_dgram_qlen), then has no room.
  for (int i = 0; i < 2000; ++i) notify.Tick(std::to_string(i), true);
  notify.Ready();
  auto heard = supervisor.Heard();
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "READY=1"), 0);
  notify.Tick("1999", true);
  heard = supervisor.Heard();
  EXPECT_THAT(heard, ElementsAre("READY=1\nSTATUS=1999"));
}

TEST(Notify, NobodyToTell) {
  log::SetSink([](const std::string&) {});
  for (const std::string& address :
       {std::string(), std::string("relative"), "/" + std::string(200, 'x'), Path() + ".gone"}) {
    Notify notify({{"NOTIFY_SOCKET", address}, {"WATCHDOG_USEC", "1000"}});
    notify.Ready();
    notify.Tick("ready", true);
    notify.Stopping();
  }
  log::SetSink({});
}

TEST(Readiness, OneLineNamesWhatFails) {
  log::SetSink([](const std::string&) {});
  Readiness readiness;
  EXPECT_EQ(readiness.line(), "not_ready");
  readiness.Set("config", Readiness::Check::kOk, "");
  readiness.Set("postgres", Readiness::Check::kOk, "fine");
  EXPECT_EQ(readiness.line(), "ready");
  readiness.Set("config", Readiness::Check::kDegraded, "");
  EXPECT_EQ(readiness.line(), "degraded: config");
  readiness.Set("postgres", Readiness::Check::kDown, "refused");
  EXPECT_EQ(readiness.line(), "not_ready: config; postgres (refused)");
  readiness.Stopping();
  EXPECT_EQ(readiness.line(), "stopping");
  log::SetSink({});
}

}  // namespace
}  // namespace auren::ops
