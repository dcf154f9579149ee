// The limit a webhook is measured against: the same HTTP library with the same settings as the
// worker's, reading the body and doing nothing with it.
//
//   empty_server THREADS    prints its port, serves POST /empty until it is killed
#include <httplib.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 128;
  httplib::Server server;
  server.new_task_queue = [threads] {
    return new httplib::ThreadPool(static_cast<std::size_t>(threads));
  };
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(100000);
  server.Post("/empty", [](const httplib::Request&, httplib::Response& response) {
    response.status = 202;
    response.set_content(R"({"status":"applied"})", "application/json");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::printf("%d\n", port);
  std::fflush(stdout);
  return server.listen_after_bind() ? 0 : 1;
}
