// A server that is reached, logs in, and then owes answers for ever: no real one does so on cue.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "postgres/connection.h"

namespace auren::postgres {
namespace {

// Speaks as much of PostgreSQL's protocol as a log-in and the first SETs need, then only reads.
class SilentServer {
 public:
  SilentServer() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 1);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~SilentServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  std::string url() const {
    return "host=127.0.0.1 user=u sslmode=disable gssencmode=disable target_session_attrs=any "
           "port=" +
           std::to_string(port_);
  }

 private:
  static std::string Message(char type, const std::string& body) {
    const std::uint32_t size = htonl(static_cast<std::uint32_t>(body.size() + 4));
    return type + std::string(reinterpret_cast<const char*>(&size), 4) + body;
  }

  void Serve() {
    for (int peer; (peer = accept(listener_, nullptr, nullptr)) >= 0; close(peer)) {
      const std::string ready = Message('Z', "I");
      const std::string login = Message('R', std::string(4, '\0')) + ready;
      const std::string set = Message('C', std::string("SET\0", 4)) + ready;
      char bytes[4096];
      const std::string* answer = &login;
      while (read(peer, bytes, sizeof bytes) > 0) {
        if (answer == nullptr) continue;
        if (write(peer, answer->data(), answer->size()) < 0) break;
        answer = answer == &login ? &set : nullptr;
      }
    }
  }

  int listener_, port_ = 0;
  std::thread thread_;
};

TEST(Connection, AServerThatOwesAnAnswerForEverIsGivenUp) {
  SilentServer server;
  Connection connection(server.url(), "test");
  connection.SetPatience(std::chrono::milliseconds(50));
  const Result result = connection.Execute("SELECT 1");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().sqlstate, kConnectionFailure);
  EXPECT_EQ(result.error().message, "the server owes an answer and is silent");
  EXPECT_FALSE(connection.connected());
}

}  // namespace
}  // namespace auren::postgres
