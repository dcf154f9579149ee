// Keep-alive connections that each post one delivery after the other, as fast as they are answered.
//
//   http_load PORT PATH KEY CONNECTIONS SECONDS
//
// Every body is another person's reading of another moment, so nothing is a duplicate. Prints one
// line:
//   requests/s  p50 in ms  p99 in ms  answers that were not 2xx
// A socket and two buffers, no HTTP library: the generator shares the cores with what it measures.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPeople = 1000;

struct Lane {
  std::vector<float> milliseconds;
  std::map<int, long> failed;  // by status; 0: the connection was closed
};

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

bool Send(int fd, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

// Reads one answer; its status, or 0 when the connection is gone. `last`: the server will close it.
int Receive(int fd, bool* last) {
  std::string got;
  char buffer[8192];
  std::size_t end = std::string::npos;
  std::size_t length = 0;
  while (end == std::string::npos || got.size() < end + 4 + length) {
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return 0;
    got.append(buffer, static_cast<std::size_t>(n));
    if (end != std::string::npos) continue;
    end = got.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const std::size_t at = got.find("Content-Length: ");
    *last = got.find("Connection: close") < end;
    if (at < end) length = std::strtoul(got.c_str() + at + 16, nullptr, 10);
  }
  return std::atoi(got.c_str() + 9);  // after "HTTP/1.1 "
}

void Run(int port, const std::string& path, const std::string& key, int number, std::time_t begun,
         Clock::time_point stop, Lane* lane) {
  int fd = Connect(port);
  for (long i = 0; Clock::now() < stop; ++i) {
    // An hour of readings for each thousand requests: old ones, which switch no mode.
    const std::time_t at = begun - 90000 - (i / kPeople) * 60 - number;
    std::tm parts{};
    gmtime_r(&at, &parts);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &parts);
    const std::string body = fmt::format(
        R"({{"user_id":"bench{}_{}","samples":[{{"type":"heartRate","value":{},"timestamp":"{}"}}]}})",
        number, i % kPeople, 60 + i % 30, stamp);
    const std::string request = fmt::format(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Authorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{}",
        path, key, body.size(), body);
    const auto before = Clock::now();
    int status = 0;
    bool last = false;
    if (fd >= 0 && Send(fd, request)) status = Receive(fd, &last);
    const std::chrono::duration<float, std::milli> took = Clock::now() - before;
    if (status == 0 || last) {
      if (fd >= 0) close(fd);
      fd = Connect(port);
    }
    if (status >= 200 && status < 300) {
      lane->milliseconds.push_back(took.count());
    } else {
      ++lane->failed[status];
    }
  }
  if (fd >= 0) close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: http_load PORT PATH KEY CONNECTIONS SECONDS\n");
    return 64;
  }
  const int connections = std::atoi(argv[4]);
  const double seconds = std::atof(argv[5]);
  std::vector<Lane> lanes(static_cast<std::size_t>(connections));
  std::vector<std::thread> threads;
  threads.reserve(lanes.size());
  const auto begun = Clock::now();
  const auto stop =
      begun + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (int i = 0; i < connections; ++i) {
    threads.emplace_back(Run, std::atoi(argv[1]), std::string(argv[2]), std::string(argv[3]), i,
                         std::time(nullptr), stop, &lanes[static_cast<std::size_t>(i)]);
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = Clock::now() - begun;
  std::vector<float> all;
  long failed = 0;
  for (const Lane& lane : lanes) {
    all.insert(all.end(), lane.milliseconds.begin(), lane.milliseconds.end());
    for (const auto& [status, count] : lane.failed) {
      failed += count;
      if (count > 0) fmt::print(stderr, "{} answers of status {}\n", count, status);
    }
  }
  std::sort(all.begin(), all.end());
  const auto percentile = [&](double p) {
    return all.empty() ? 0.0F
                       : all[static_cast<std::size_t>(p * static_cast<double>(all.size() - 1))];
  };
  fmt::print("{:.0f} {:.3f} {:.3f} {}\n", static_cast<double>(all.size()) / took.count(),
             percentile(0.50), percentile(0.99), failed);
  return all.empty() ? 1 : 0;
}
