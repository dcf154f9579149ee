// The guards of the HTTP server, each against a real listening server and real bytes.
#include "http/server.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "http/problem.h"
#include "http/router.h"
#include "raw_client.h"

namespace auren::http {
namespace {

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Post(const std::string& headers, const std::string& body = "") {
  return "POST /echo HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

std::string WithLength(const std::string& body, const std::string& headers = "") {
  return Post("Content-Length: " + std::to_string(body.size()) + "\r\n" + headers, body);
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    options_.threads = 8;
    options_.max_body_bytes = 8 << 20;
    router_.Add("POST", "/echo", [this](Request& request) {
      Response response;
      std::string body;
      if (!request.body->Read(rules_, &body, &response)) return response;
      response.body = body;
      return response;
    });
    router_.Add("POST", "/wait", [this](Request& request) {
      Response response;
      std::string body;
      if (!request.body->Read(rules_, &body, &response)) return response;
      std::unique_lock lock(mutex_);
      ++inside_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return released_; });
      return response;
    });
    router_.Add("GET|HEAD", "/who", [](Request& request) {
      Response response;
      response.body = request.remote_addr + " " + std::string(request.Header("remote_addr"));
      return response;
    });
    router_.Add("GET", "/throw",
                [](Request&) -> Response { throw std::runtime_error("secret db password"); });
    router_.Add("GET", "/users/{id}", [](Request& request) {
      Response response;
      response.body = request.params.at("id") + "|" + request.query["q"] + "|" + request.trace_id;
      return response;
    });
  }

  void Start() {
    server_ = std::make_unique<Server>(
        options_, [this](Request& request) { return router_.Dispatch(request); });
    std::string error;
    ASSERT_TRUE(server_->Start(&error)) << error;
  }
  RawClient::Answer Ask(const std::string& bytes) { return RawClient(server_->port()).Ask(bytes); }
  void ExpectProblem(const RawClient::Answer& answer, int status, const std::string& code) {
    EXPECT_EQ(answer.status, status) << answer.head << answer.body;
    EXPECT_NE(answer.head.find("application/problem+json"), std::string::npos) << answer.head;
    const auto body = nlohmann::json::parse(answer.body, nullptr, false);
    ASSERT_TRUE(body.is_object()) << answer.body;
    EXPECT_EQ(body.value("code", ""), code) << answer.body;
    EXPECT_EQ(body.value("status", 0), status);
  }
  void AwaitInside(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ >= count; });
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

  ServerOptions options_;
  BodyRules rules_{1000, false};
  Router router_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool released_ = false;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpServerTest, EchoesKeepsAliveAndTakesPipelinedRequests) {
  Start();
  RawClient client(server_->port());
  client.Send(WithLength("one") + WithLength("two"));
  EXPECT_EQ(client.Receive().body, "one");
  EXPECT_EQ(client.Receive().body, "two");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.Ask(WithLength("again")).body, "again");
}

TEST_F(HttpServerTest, BothLengthHeadersAreRefused) {
  Start();
  const auto answer = Ask(Post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
  ExpectProblem(answer, 400, "malformed");
  EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
}

TEST_F(HttpServerTest, NoLengthIsRefusedAtOnce) {
  Start();
  ExpectProblem(Ask(Post("")), 411, "length_required");
}

TEST_F(HttpServerTest, OddFramingIsRefused) {
  Start();
  for (const char* headers :
       {"Content-Length: 2\r\nContent-Length: 2\r\n", "Content-Length: +2\r\n",
        "Content-Length: 2, 2\r\n", "Content-Length: -1\r\n", "Content-Length: %32\r\n",
        "Content-Length:\r\n", "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n", "Content-Length: 2\r\n folded: 1\r\n", "no colon\r\n",
        ": empty\r\n", "A: b\x01\r\n", "A: b\nContent-Length: 2\r\n"}) {
    ExpectProblem(Ask(Post(headers, "{}")), 400, "malformed");
  }
  ExpectProblem(Ask("GET /who HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /"), 400, "malformed");
  ExpectProblem(Ask("GET /who HTTP/2.0\r\n\r\n"), 505, "malformed");
  ExpectProblem(Ask("GET who HTTP/1.1\r\n\r\n"), 400, "malformed");
  ExpectProblem(Ask("nonsense\r\n\r\n"), 400, "malformed");
  ExpectProblem(Ask("GET /users/%zz HTTP/1.1\r\n\r\n"), 400, "malformed");
  ExpectProblem(Ask("GET /users/%00 HTTP/1.1\r\n\r\n"), 400, "malformed");
  ExpectProblem(Ask("GET /users/%ff HTTP/1.1\r\n\r\n"), 400, "malformed");
}

TEST_F(HttpServerTest, ALengthOverTheLimitIsRefusedBeforeTheBody) {
  Start();
  ExpectProblem(Ask(Post("Content-Length: 999999999\r\n")), 413, "too_large");
  ExpectProblem(Ask(WithLength(std::string(1001, 'x'))), 413, "too_large");
  EXPECT_EQ(Ask(WithLength(std::string(1000, 'x'))).status, 200);
}

TEST_F(HttpServerTest, ChunksAreCounted) {
  Start();
  const std::string chunk = "64\r\n" + std::string(100, 'x') + "\r\n";
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += chunk;
  EXPECT_EQ(Ask(Post("Transfer-Encoding: chunked\r\n", ten + "0\r\n\r\n")).body.size(), 1000u);
  ExpectProblem(Ask(Post("Transfer-Encoding: chunked\r\n", ten + chunk + "0\r\n\r\n")), 413,
                "too_large");
}

TEST_F(HttpServerTest, AChunkLineWithoutEndIsBounded) {
  Start();
  ExpectProblem(Ask(Post("Transfer-Encoding: chunked\r\n", std::string(1 << 20, '0'))), 413,
                "too_large");
}

TEST_F(HttpServerTest, BrokenChunksAreMalformed) {
  Start();
  ExpectProblem(Ask(Post("Transfer-Encoding: chunked\r\n", "zz\r\n\r\n")), 400, "malformed");
}

TEST_F(HttpServerTest, ABodyThatDoesNotArriveIsTimedOut) {
  options_.body_timeout = std::chrono::milliseconds(100);
  Start();
  ExpectProblem(Ask(Post("Transfer-Encoding: chunked\r\n", "5\r\n{\"a\":")), 408,
                "request_timeout");
  ExpectProblem(Ask(Post("Content-Length: 10\r\n", "abc")), 408, "request_timeout");
}

TEST_F(HttpServerTest, AHeadThatDoesNotArriveIsTimedOut) {
  options_.head_timeout = std::chrono::milliseconds(100);
  Start();
  ExpectProblem(Ask("POST /echo HTTP/1.1\r\nHost:"), 408, "request_timeout");
}

TEST_F(HttpServerTest, GzipIsInflatedAndABombIsNot) {
  Start();
  const std::string zipped = Gzip(std::string(900, 'y'));
  EXPECT_EQ(Ask(WithLength(zipped, "Content-Encoding: gzip\r\n")).body, std::string(900, 'y'));
  const std::string bomb = Gzip(std::string(500000, ' '));
  ASSERT_LT(bomb.size(), 1000u);
  ExpectProblem(Ask(WithLength(bomb, "Content-Encoding: gzip\r\n")), 413, "too_large");
  ExpectProblem(Ask(WithLength("not gzip", "Content-Encoding: gzip\r\n")), 400, "malformed");
}

TEST_F(HttpServerTest, TypeAndEncodingAreDecidedBeforeTheBody) {
  Start();
  for (const char* headers :
       {"Content-Encoding: br\r\n", "Content-Encoding: deflate\r\n", "Content-Encoding: gz%69p\r\n",
        "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"}) {
    // The body is never sent: only its length is announced.
    ExpectProblem(Ask(Post(std::string("Content-Length: 500\r\n") + headers)), 415,
                  "unsupported_type");
  }
  for (const char* type :
       {"application/json; charset=utf-8", "Application/JSON", "application/vnd.health+json"}) {
    EXPECT_EQ(Ask(WithLength("{}", "Content-Type: " + std::string(type) + "\r\n")).status, 200);
  }
  rules_.form = true;
  EXPECT_EQ(Ask(WithLength("a=b", "Content-Type: application/x-www-form-urlencoded\r\n")).status,
            200);
  ExpectProblem(Ask(WithLength("{}", "Content-Type: application/json\r\n")), 415,
                "unsupported_type");
}

TEST_F(HttpServerTest, AnExpectingClientIsToldToGoOnOnlyWhenItsBodyIsWanted) {
  Start();
  RawClient client(server_->port());
  client.Send(Post("Content-Length: 2\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.Receive(false).status, 100);
  EXPECT_EQ(client.Ask("{}").body, "{}");
  ExpectProblem(Ask(Post("Content-Length: 5000\r\nExpect: 100-continue\r\n")), 413, "too_large");
}

TEST_F(HttpServerTest, HeadsAreBounded) {
  Start();
  std::string many = "GET /who HTTP/1.1\r\n";
  for (int i = 0; i < 200; ++i) many += "A" + std::to_string(i) + ": b\r\n";
  ExpectProblem(Ask(many + "\r\n"), 431, "too_large");
  ExpectProblem(Ask("GET /who HTTP/1.1\r\nA: " + std::string(40000, 'x') + "\r\n\r\n"), 431,
                "too_large");
  ExpectProblem(Ask("GET /" + std::string(5000, 'x') + " HTTP/1.1\r\n\r\n"), 414, "too_large");
}

TEST_F(HttpServerTest, TheClientCannotNameItsOwnAddress) {
  Start();
  EXPECT_EQ(
      Ask("GET /who HTTP/1.1\r\nREMOTE_ADDR: 6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n").body,
      "127.0.0.1 6.6.6.6");
  std::string bad;
  server_->SetTrustedProxies(
      std::make_shared<TrustedProxies>(*TrustedProxies::Parse({"127.0.0.0/8"}, &bad)));
  EXPECT_EQ(Ask("GET /who HTTP/1.1\r\nX-Forwarded-For: 6.6.6.6, 9.9.9.9\r\n\r\n").body, "9.9.9.9 ");
}

TEST_F(HttpServerTest, AnExceptionTellsNothing) {
  Start();
  const auto answer = Ask("GET /throw HTTP/1.1\r\n\r\n");
  ExpectProblem(answer, 500, "internal");
  EXPECT_EQ((answer.head + answer.body).find("secret"), std::string::npos);
}

TEST_F(HttpServerTest, UnknownRoutesAndMethods) {
  Start();
  ExpectProblem(Ask("GET /nowhere HTTP/1.1\r\n\r\n"), 404, "not_found");
  const auto answer = Ask("DELETE /echo HTTP/1.1\r\n\r\n");
  ExpectProblem(answer, 405, "method_not_allowed");
  EXPECT_NE(answer.head.find("Allow: POST"), std::string::npos);
  // A body that nobody read must not be taken for the next request.
  RawClient client(server_->port());
  client.Send("PUT /echo HTTP/1.1\r\nContent-Length: 24\r\n\r\nGET /who HTTP/1.1\r\n\r\n   ");
  EXPECT_EQ(client.Receive().status, 405);
  EXPECT_EQ(client.Receive().status, 0);
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  Start();
  RawClient client(server_->port());
  client.Send("HEAD /who HTTP/1.1\r\n\r\nGET /who HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.Receive(false).status, 200);
  EXPECT_EQ(client.Receive().body, "127.0.0.1 ");
}

TEST_F(HttpServerTest, ParametersAreDecodedAndTracesKept) {
  Start();
  EXPECT_EQ(Ask("GET /users/a%2Fb%20c?q=1%2B1+x HTTP/1.1\r\n"
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n")
                .body,
            "a/b c|1+1 x|0af7651916cd43dd8448eb211c80319c");
  const std::string made = Ask("GET /users/x HTTP/1.1\r\ntraceparent: junk\r\n\r\n").body;
  EXPECT_EQ(made.size(), std::string("x||").size() + 32);
}

TEST_F(HttpServerTest, TooManyRequestsInFlightAreShed) {
  options_.max_in_flight = 2;
  Start();
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(std::async(std::launch::async, [this] {
      return Ask("POST /wait HTTP/1.1\r\nContent-Length: 0\r\n\r\n").status;
    }));
  }
  AwaitInside(2);
  const auto shed = Ask(WithLength("{}"));
  ExpectProblem(shed, 503, "queue_full");
  EXPECT_NE(shed.head.find("Retry-After:"), std::string::npos);
  Release();
  for (auto& status : waiting) EXPECT_EQ(status.get(), 200);
  EXPECT_EQ(Ask(WithLength("{}")).status, 200);
}

TEST_F(HttpServerTest, LargeBodiesAreFewAtOnceAndAllBodiesHaveABudget) {
  rules_.max_bytes = 4 << 20;
  options_.max_large_bodies = 1;
  Start();
  const std::string large(2 << 20, 'x');
  auto first = std::async(std::launch::async, [&] {
    return Ask("POST /wait HTTP/1.1\r\nContent-Length: " + std::to_string(large.size()) +
               "\r\n\r\n" + large)
        .status;
  });
  AwaitInside(1);
  ExpectProblem(Ask(WithLength(large)), 503, "queue_full");
  EXPECT_EQ(Ask(WithLength("small")).status, 200);
  Release();
  EXPECT_EQ(first.get(), 200);
  EXPECT_EQ(Ask(WithLength(large)).status, 200);
}

TEST_F(HttpServerTest, TheSumOfBodiesIsBounded) {
  options_.max_body_bytes = 600;
  Start();
  ExpectProblem(Ask(WithLength(std::string(700, 'x'))), 503, "queue_full");
  EXPECT_EQ(Ask(WithLength(std::string(500, 'x'))).status, 200);
  EXPECT_EQ(Ask(WithLength(std::string(500, 'x'))).status, 200);
}

TEST_F(HttpServerTest, OneAddressHoldsOnlySoManyConnections) {
  options_.max_per_address = 2;
  Start();
  RawClient first(server_->port()), second(server_->port());
  EXPECT_EQ(first.Ask(WithLength("1")).status, 200);
  EXPECT_EQ(second.Ask(WithLength("2")).status, 200);
  ExpectProblem(RawClient(server_->port()).Receive(), 503, "queue_full");
}

TEST_F(HttpServerTest, AnIdleConnectionGivesItsThreadUpWhenOthersWait) {
  options_.threads = 1;
  options_.max_per_address = 10;
  Start();
  RawClient idle(server_->port());
  EXPECT_EQ(idle.Ask(WithLength("1")).status, 200);
  EXPECT_EQ(Ask(WithLength("2")).status, 200);
  EXPECT_TRUE(idle.AwaitClose());
}

TEST_F(HttpServerTest, StopAnswersWhatHasBegun) {
  Start();
  auto status = std::async(std::launch::async, [this] {
    return Ask("POST /wait HTTP/1.1\r\nContent-Length: 0\r\n\r\n").status;
  });
  AwaitInside(1);
  auto stopped = std::async(std::launch::async, [this] { server_->Stop(); });
  Release();
  EXPECT_EQ(status.get(), 200);
  stopped.get();
  EXPECT_FALSE(RawClient(server_->port()).connected());
}

TEST_F(HttpServerTest, TwoServersDoNotShareAPort) {
  Start();
  ServerOptions same = options_;
  same.port = server_->port();
  Server second(same, [](Request&) { return Response(); });
  std::string error;
  EXPECT_FALSE(second.Start(&error));
  EXPECT_EQ(error, "Address already in use");
}

}  // namespace
}  // namespace auren::http
