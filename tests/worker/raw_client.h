// A client that sends the very bytes a test wants and reads one answer: what no HTTP library would
// send.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace auren {

class RawClient {
 public:
  struct Answer {
    int status = 0;  // 0: the connection ended without one
    std::string head, body;
  };

  explicit RawClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval patience{30, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawClient() { close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }

  // False: the server has closed; a test may go on to read its answer.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // `has_body` false: the answer to a HEAD.
  Answer Receive(bool has_body = true) {
    Answer answer;
    std::size_t end;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!More()) return answer;
    }
    answer.head = in_.substr(0, end + 4);
    in_.erase(0, end + 4);
    answer.status = std::atoi(answer.head.c_str() + 9);
    if (!has_body) return answer;
    const std::size_t at = answer.head.find("Content-Length: ");
    const std::size_t length =
        at == std::string::npos ? 0 : std::strtoul(answer.head.c_str() + at + 16, nullptr, 10);
    while (in_.size() < length && More()) {
    }
    answer.body = in_.substr(0, length);
    in_.erase(0, length);
    return answer;
  }

  Answer Ask(std::string_view bytes) {
    Send(bytes);
    return Receive();
  }

  // True once the server has closed; waits for it.
  bool AwaitClose() {
    while (More()) {
    }
    return true;
  }

 private:
  bool More() {
    char buffer[65536];
    const ssize_t got = recv(fd_, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    in_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int fd_;
  bool connected_;
  std::string in_;
};

}  // namespace auren
