// The parts of the HTTP room that need no server: problems, limits, addresses, text.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

#include "app/openapi.h"
#include "http/client_address.h"
#include "http/problem.h"
#include "http/rate_limit.h"
#include "http/text.h"

namespace auren::http {
namespace {

TEST(Problem, HasTheShapeOfTheStandard) {
  const Response response = Problem("queue_full", "too \"much\"", 0, 7, "\"x\":[1]");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.headers.at("Retry-After"), "7");
  const auto body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body.at("type"), "urn:auren:problem:queue_full");
  EXPECT_EQ(body.at("status"), 503);
  EXPECT_EQ(body.at("code"), "queue_full");
  EXPECT_EQ(body.at("detail"), "too \"much\"");
  EXPECT_EQ(body.at("x").at(0), 1);
  EXPECT_FALSE(body.at("title").get<std::string>().empty());
}

TEST(Problem, TakesOnlyCodesOfTheClosedList) {
  EXPECT_THROW(Problem("no_such_code", ""), std::logic_error);
}

TEST(Problem, IsNever410AndTheDocumentNamesEveryCode) {
  const auto document = nlohmann::json::parse(app::OpenApiJson());
  std::set<std::string> documented;
  for (const auto& code : document.at("components").at("schemas").at("ProblemCode").at("enum")) {
    documented.insert(code.get<std::string>());
  }
  std::set<std::string> known;
  for (const ProblemCode& code : ProblemCodes()) {
    EXPECT_NE(code.status, 410);
    known.emplace(code.code);
  }
  EXPECT_EQ(documented, known);
}

TEST(OpenApi, KeepsTypes) {
  const auto json = nlohmann::json::parse(app::YamlToJson(
      "{a: 3, b: \"3\", c: true, d: text, e: null, f: [1.5, {g: \"x\"}], \"200\": ok}"));
  EXPECT_EQ(json,
            nlohmann::json::parse(
                R"({"a":3,"b":"3","c":true,"d":"text","e":null,"f":[1.5,{"g":"x"}],"200":"ok"})"));
}

TEST(RateLimiter, RefillsEvenlyAndSaysHowLong) {
  RateLimiter limiter;
  const RateLimiter::Rate rate{3, 60};  // one each 20 s
  const RateLimiter::Clock::time_point start{};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Take("a", rate, start), 0);
  EXPECT_EQ(limiter.Take("a", rate, start), 20);
  EXPECT_EQ(limiter.Take("b", rate, start), 0);
  EXPECT_EQ(limiter.Take("a", rate, start + std::chrono::seconds(15)), 5);
  EXPECT_EQ(limiter.Peek("a", rate, start + std::chrono::seconds(20)), 0);
  EXPECT_EQ(limiter.Take("a", rate, start + std::chrono::seconds(20)), 0);
  EXPECT_EQ(limiter.Take("a", rate, start + std::chrono::seconds(20)), 20);
  // It never holds more than the count, however long nobody came.
  const auto later = start + std::chrono::hours(5);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Take("a", rate, later), 0);
  EXPECT_GT(limiter.Take("a", rate, later), 0);
}

TEST(RateLimiter, ZeroIsOffAndNamesAreBounded) {
  RateLimiter limiter;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter.Take("a", {0, 0}, {}), 0);
  for (int i = 0; i < 30000; ++i) limiter.Take(std::to_string(i), {1, 60}, {});
  EXPECT_LE(limiter.size(), 10000u);
}

TEST(TrustedProxies, BelievesOnlyWhatTheyWrote) {
  std::string bad;
  const auto proxies = TrustedProxies::Parse({"10.0.0.0/8", "::1", "2001:db8::/33"}, &bad);
  ASSERT_TRUE(proxies);
  EXPECT_EQ(proxies->ClientOf("1.2.3.4", "6.6.6.6"), "1.2.3.4");
  EXPECT_EQ(proxies->ClientOf("10.1.1.1", "6.6.6.6, 9.9.9.9"), "9.9.9.9");
  EXPECT_EQ(proxies->ClientOf("10.1.1.1", "6.6.6.6, 10.2.2.2"), "6.6.6.6");
  EXPECT_EQ(proxies->ClientOf("::1", ""), "::1");
  EXPECT_EQ(proxies->ClientOf("10.1.1.1", "junk"), "10.1.1.1");
  EXPECT_TRUE(proxies->Contains("2001:db8:7fff::1"));
  EXPECT_FALSE(proxies->Contains("2001:db8:8000::1"));
  EXPECT_FALSE(proxies->Contains("11.0.0.1"));
  for (const char* wrong : {"10.0.0.0/33", "10.0.0.0/x", "10.0.0/8", "", "::/129"}) {
    EXPECT_FALSE(TrustedProxies::Parse({wrong}, &bad)) << wrong;
    EXPECT_EQ(bad, wrong);
  }
}

TEST(Text, Utf8) {
  for (const char* good : {"", "a", "gr\xc3\xb6\xc3\x9f\x65", "\xe2\x9c\x93", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad : {"\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xc3", "\xe2\x9c", "\x80", "\xf0\x9f\x98"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

TEST(Text, QueriesAndTypes) {
  const auto query = ParseQuery("a=1&b=x+y%26z&a=2&&c");
  ASSERT_TRUE(query);
  EXPECT_EQ(*query, (std::map<std::string, std::string>{{"a", "1"}, {"b", "x y&z"}, {"c", ""}}));
  EXPECT_FALSE(ParseQuery("a=%0"));
  EXPECT_EQ(MediaType(" Application/JSON ; charset=utf-8"), "application/json");
}

}  // namespace
}  // namespace auren::http
