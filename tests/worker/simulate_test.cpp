#include "app/simulate.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

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
                          {"normal", 2}, {"stressed", 1}, {"workout", 3}, {"sick", 1}}));
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
    EXPECT_EQ(Header(post, "X-Auren-User"), post.story == "sick" ? post.user_id : "");
  }
}

TEST(SimulateTest, WithoutCredentialsNothingIsSigned) {
  for (const Post& post : Simulate(Options(4, 1), Credentials::From({}))) {
    EXPECT_EQ(Header(post, "x-oura-signature"), "");
    EXPECT_EQ(Header(post, "Authorization"), "");
  }
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
