// A server that is reached, logs in, and then does what no real one does on cue: owes answers for
// ever, or dies between a statement's answer and its commit.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "postgres/connection.h"

namespace auren::postgres {
namespace {

// Speaks as much of PostgreSQL's protocol as a log-in and the first SETs need, then sends the given
// answers, one for each time it is asked, closes the connection, or, given none, only reads.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> script = {})
      : script_(std::move(script)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
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
  ~ScriptedServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const {
    return "host=127.0.0.1 user=u sslmode=disable gssencmode=disable target_session_attrs=any "
           "port=" +
           std::to_string(port_);
  }

  static std::string Message(char type, const std::string& body) {
    const std::uint32_t size = htonl(static_cast<std::uint32_t>(body.size() + 4));
    return type + std::string(reinterpret_cast<const char*>(&size), 4) + body;
  }

 private:
  void Serve() {
    const std::string ready = Message('Z', "I");
    std::vector<std::string> answers = {Message('R', std::string(4, '\0')) + ready,
                                        Message('C', std::string("SET\0", 4)) + ready};
    answers.insert(answers.end(), script_.begin(), script_.end());
    for (int peer; (peer = accept(listener_, nullptr, nullptr)) >= 0; close(peer)) {
      char bytes[4096];
      std::size_t next = 0;
      while (read(peer, bytes, sizeof bytes) > 0) {
        if (next == answers.size()) continue;
        if (write(peer, answers[next].data(), answers[next].size()) < 0) break;
        if (++next == answers.size() && !script_.empty()) break;
      }
    }
  }

  const std::vector<std::string> script_;
  int listener_, port_ = 0;
  std::thread thread_;
};

TEST(Connection, AServerThatOwesAnAnswerForEverIsGivenUp) {
  ScriptedServer server;
  Connection connection(server.url(), "test");
  connection.SetPatience(std::chrono::milliseconds(50));
  const Result result = connection.Execute("SELECT 1");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().sqlstate, kConnectionFailure);
  EXPECT_EQ(result.error().message, "the server owes an answer and is silent");
  EXPECT_FALSE(connection.connected());
}

// A session that is ended while it commits still sends the rows it had ready.
TEST(Connection, RowsWithoutTheirCommitAreNoAnswer) {
  const auto message = ScriptedServer::Message;
  const std::string none(2, '\0');  // columns
  ScriptedServer server({message('1', "") + message('Z', "I"),
                         message('2', "") + message('T', none) + message('D', none) +
                             message('C', std::string("SELECT 1\0", 9))});
  Connection connection(server.url(), "test");
  const Result result = connection.Execute("SELECT");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().sqlstate, kConnectionFailure);
  EXPECT_FALSE(connection.connected());
}

}  // namespace
}  // namespace auren::postgres
