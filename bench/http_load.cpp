// Keep-alive connections that each post one delivery after the other, as fast as they are answered.
//
//   http_load PORT PATH KEY CONNECTIONS SECONDS [RATE [BYTES [fresh]]]
//
// With a RATE above 0 the requests of a second are spread evenly over it and each is timed from the
// moment it was due, so that a server that keeps one waiting does not make the next one late
// unseen. With BYTES above 0 the bodies have more readings: sixteen sizes in turn, the greatest of
// BYTES. With `fresh` they are of this moment, and judged: calm, so that they switch no mode
// either.
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
#include <functional>
#include <map>
#include <string>
#include <string_view>
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

struct Load {
  int port = 0;
  std::string path, key;
  std::size_t bytes = 0;  // of the greatest body; 0: one reading each
  bool fresh = false;
  Clock::duration interval{};  // between the requests of one connection; 0: none
  Clock::time_point begun, stop;
  std::time_t now = std::time(nullptr);
};

// Old readings, a minute each, one body after the other: too old to be judged.
std::string Body(const Load& load, int number, long i) {
  constexpr std::size_t kReading = 72;
  constexpr long kSizes = 16;
  const auto wanted = load.bytes / kSizes * static_cast<std::size_t>(1 + i * 7 % kSizes);
  const long readings = std::max(1L, static_cast<long>(wanted / kReading));
  const long before = i / kPeople * std::max(1L, static_cast<long>(load.bytes / kReading));
  const std::time_t newest =
      load.fresh ? std::time(nullptr) : load.now - 90000 - before * 60 - number;
  std::string body = fmt::format(R"({{"user_id":"bench{}_{}","samples":[)", number, i % kPeople);
  for (long reading = 0; reading < readings; ++reading) {
    const std::time_t at = newest - reading * 60;
    std::tm parts{};
    gmtime_r(&at, &parts);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &parts);
    body += fmt::format(R"({}{{"type":"heartRate","value":{},"timestamp":"{}"}})",
                        reading > 0 ? "," : "", 60 + i % 30, stamp);
  }
  return body + "]}";
}

void Run(const Load& load, int number, Clock::duration first, Lane* lane) {
  int fd = Connect(load.port);
  Clock::time_point due = load.begun + first;
  for (long i = 0; Clock::now() < load.stop; ++i, due += load.interval) {
    const std::string body = Body(load, number, i);
    const std::string request = fmt::format(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Authorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{}",
        load.path, load.key, body.size(), body);
    if (load.interval > Clock::duration::zero()) {
      if (due >= load.stop) break;
      std::this_thread::sleep_until(due);
    } else {
      due = Clock::now();
    }
    int status = 0;
    bool last = false;
    if (fd >= 0 && Send(fd, request)) status = Receive(fd, &last);
    const std::chrono::duration<float, std::milli> took = Clock::now() - due;
    if (status == 0 || last) {
      if (fd >= 0) close(fd);
      fd = Connect(load.port);
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
  if (argc < 6 || argc > 9) {
    fmt::print(stderr,
               "usage: http_load PORT PATH KEY CONNECTIONS SECONDS [RATE [BYTES [fresh]]]\n");
    return 64;
  }
  const auto seconds = [](double count) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
  };
  const int connections = std::atoi(argv[4]);
  const double rate = argc > 6 ? std::atof(argv[6]) : 0;
  Load load;
  load.port = std::atoi(argv[1]);
  load.path = argv[2];
  load.key = argv[3];
  load.bytes = argc > 7 ? std::strtoul(argv[7], nullptr, 10) : 0;
  load.fresh = argc > 8 && std::string_view(argv[8]) == "fresh";
  if (rate > 0) load.interval = seconds(connections / rate);
  load.begun = Clock::now();
  load.stop = load.begun + seconds(std::atof(argv[5]));
  std::vector<Lane> lanes(static_cast<std::size_t>(connections));
  std::vector<std::thread> threads;
  threads.reserve(lanes.size());
  for (int i = 0; i < connections; ++i) {
    threads.emplace_back(Run, std::cref(load), i, load.interval * i / connections,
                         &lanes[static_cast<std::size_t>(i)]);
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = Clock::now() - load.begun;
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
