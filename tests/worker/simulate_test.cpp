#include "app/simulate.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "devices/device.h"

namespace auren::app {
namespace {

constexpr std::int64_t kNow = 1764000000;  // 2025-11-24 16:00 UTC

SimulateOptions Options(int people, int days) {
  SimulateOptions options;
  options.seed = 7;
  options.people = people;
  options.days = days;
  options.now_unix = kNow;
  return options;
}

Credentials Keys() {
  return Credentials::From({{"OURA_CLIENT_SECRET", "new-secret,old-secret"},
                            {"HEALTHKIT_API_KEYS", "bound:somebody,free-key"}});
}

std::string Header(const Post& post, const std::string& name) {
  for (const auto& [key, value] : post.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(SimulateTest, SameSeedSameBytes) {
  const auto once = Simulate(Options(6, 5), Keys());
  const auto again = Simulate(Options(6, 5), Keys());
  ASSERT_EQ(once.size(), again.size());
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_EQ(ToLine(once[i]), ToLine(again[i]));
  SimulateOptions other = Options(6, 5);
  other.seed = 8;
  EXPECT_NE(ToLine(Simulate(other, Keys())[0]), ToLine(once[0]));
}

TEST(SimulateTest, HistoryComesFirstAndIsOlderThanADay) {
  bool today = false;
  std::map<std::string, int> of_today;
  for (const Post& post : Simulate(Options(4, 30), Keys())) {
    if (post.history) {
      EXPECT_FALSE(today) << "history after today's";
      EXPECT_LE(post.at, kNow - 24 * 3600);
    } else {
      today = true;
      EXPECT_GT(post.at, kNow - 24 * 3600);
      EXPECT_LE(post.at, kNow);
      ++of_today[post.story];
    }
  }
  EXPECT_EQ(of_today, (std::map<std::string, int>{
                          {"normal", 4}, {"stressed", 3}, {"workout", 5}, {"sick", 3}}));
}

TEST(SimulateTest, OuraHistoryEndsADayAgo) {
  // Its day ends at midnight UTC, so the youngest that is history is the day before yesterday's.
  for (const Post& post : Simulate(Options(2, 30), Keys())) {
    if (post.provider != "oura" || !post.history) continue;
    EXPECT_EQ(post.body.find("\"summary_date\":\"2025-11-23\""), std::string::npos);
  }
}

TEST(SimulateTest, BodiesDifferSoThatNoneIsTakenForAnother) {
  std::set<std::string> bodies;
  const auto posts = Simulate(Options(30, 10), Keys());
  for (const Post& post : posts) bodies.insert(post.provider + post.user_id + post.body);
  EXPECT_EQ(bodies.size(), posts.size());
}

TEST(SimulateTest, EachProviderIsGivenItsCredential) {
  for (const Post& post : Simulate(Options(4, 1), Keys())) {
    if (post.provider == "oura") {
      EXPECT_EQ(Header(post, "x-oura-signature").size(), 64U);
      EXPECT_EQ(Header(post, "Authorization"), "");
    } else {
      EXPECT_EQ(Header(post, "Authorization"), "Bearer free-key");
    }
    const bool names_nobody = post.story == "sick" && post.what == "night";
    EXPECT_EQ(Header(post, "X-Auren-User"), names_nobody ? post.user_id : "");
  }
}

TEST(SimulateTest, WithoutCredentialsNothingIsSigned) {
  for (const Post& post : Simulate(Options(4, 1), Credentials::From({}))) {
    EXPECT_EQ(Header(post, "x-oura-signature"), "");
    EXPECT_EQ(Header(post, "Authorization"), "");
  }
}

// What is sent is what the shipped device files accept and map, reading by reading.
TEST(SimulateTest, EveryBodyIsUnderstoodByItsDevice) {
  std::string error;
  const auto catalog = devices::Catalog::Load(AUREN_ROOT "/config/devices", &error);
  ASSERT_NE(catalog, nullptr) << error;
  devices::Secrets secrets;
  secrets.values["client_secret"] = {"new-secret"};
  secrets.values["api_keys"] = {"free-key"};
  std::set<std::string> contexts;
  for (const Post& post : Simulate(Options(4, 3), Keys())) {
    std::map<std::string, std::string> headers;
    for (const auto& [name, value] : post.headers) {
      std::string lower = name;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      headers[lower] = value;
    }
    const std::map<std::string, std::string> query;
    const devices::Request request{"POST", "", &headers, &query, post.body, kNow};
    const devices::Device* device = catalog->Find(post.provider);
    ASSERT_NE(device, nullptr) << post.provider;
    const devices::Verdict verdict = device->Verify(request, secrets);
    ASSERT_EQ(verdict.kind, devices::Verdict::Kind::kAccept)
        << post.story << ": " << verdict.detail;
    const devices::Mapped mapped = device->Map(request, verdict);
    ASSERT_EQ(mapped.problem, devices::Problem::kNone) << post.story << ": " << mapped.detail;
    ASSERT_EQ(mapped.deliveries.size(), 1U);
    for (const ingest::Reading& reading : mapped.deliveries[0].readings) {
      EXPECT_TRUE(reading.mapped) << reading.metric;
      if (post.what == "workout" && reading.metric == "heart_rate")
        contexts.insert(reading.context);
    }
  }
  EXPECT_EQ(contexts, std::set<std::string>{"workout"});
}

TEST(SimulateTest, ValuesGivenByHand) {
  SimulateOptions options = Options(4, 30);
  options.user = "quote\"d";
  options.set = {{"hrv_sdnn", 45}, {"heart_rate", 95.5}};
  const auto posts = Simulate(options, Keys());
  ASSERT_EQ(posts.size(), 1U);
  EXPECT_EQ(posts[0].body,
            R"({"user_id":"quote\"d","samples":[)"
            R"({"type":"heartRateVariabilitySDNN","value":45.0,"timestamp":"2025-11-24T16:00:00Z",)"
            R"("source":"simulate"},)"
            R"({"type":"heartRate","value":95.5,"timestamp":"2025-11-24T16:00:00Z",)"
            R"("source":"simulate"}]})");
}

}  // namespace
}  // namespace auren::app
