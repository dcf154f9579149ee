// The arguments of `dead-letters`, and the moments they name.
#include "app/dead_letters_options.h"

#include <gtest/gtest.h>

#include <sstream>

namespace auren::app {
namespace {

// 2025-01-27T10:30:00Z
const auto kNow = std::chrono::system_clock::from_time_t(1'737'973'800);

struct Parsed {
  std::optional<int> code;
  DeadLettersOptions options;
  std::string err;
};

Parsed Parse(const std::vector<std::string>& args) {
  Parsed parsed;
  std::ostringstream out, err;
  parsed.code = ParseDeadLetters(args, kNow, &parsed.options, out, err);
  parsed.err = err.str();
  return parsed;
}

TEST(DeadLettersOptions, ListsTheOpenOnesAndNotTooMany) {
  const Parsed parsed = Parse({"list"});
  EXPECT_FALSE(parsed.code);
  EXPECT_EQ(parsed.options.verb, DeadLettersOptions::Verb::kList);
  EXPECT_EQ(parsed.options.status, "open");
  EXPECT_EQ(parsed.options.limit, 100);
  EXPECT_EQ(Parse({"list", "--status", "all", "--limit", "7"}).options.limit, 7);
  EXPECT_EQ(Parse({"list", "--status", "closed"}).code, 64);
  EXPECT_EQ(Parse({"list", "--limit", "0"}).code, 64);
}

TEST(DeadLettersOptions, ChangesOnlyWhatIsNamed) {
  EXPECT_EQ(Parse({"retry"}).code, 64);
  EXPECT_EQ(Parse({"discard", "--note", "n"}).code, 64);
  EXPECT_EQ(Parse({"retry", "7", "--all"}).code, 64);
  EXPECT_EQ(Parse({"retry", "7", "--reason", "malformed"}).code, 64);
  EXPECT_EQ(Parse({"retry", "0"}).code, 64);
  EXPECT_EQ(Parse({"retry", "seven"}).code, 64);
  EXPECT_NE(Parse({"retry"}).err.find("--all"), std::string::npos);
  EXPECT_FALSE(Parse({"retry", "--all", "--dry-run"}).code);
  EXPECT_FALSE(Parse({"retry", "--reason", "malformed"}).code);
  EXPECT_EQ(Parse({"retry", "7", "9"}).options.ids, (std::vector<std::int64_t>{7, 9}));
  EXPECT_EQ(Parse({"retry", "--all"}).options.limit, 0);
}

TEST(DeadLettersOptions, DiscardsWithAReasonOnly) {
  EXPECT_EQ(Parse({"discard", "7"}).code, 64);
  EXPECT_EQ(Parse({"discard", "7", "--note", ""}).code, 64);
  const Parsed parsed = Parse({"discard", "7", "--note", "the vendor's test"});
  EXPECT_FALSE(parsed.code);
  EXPECT_EQ(parsed.options.note, "the vendor's test");
}

TEST(DeadLettersOptions, ShowsOne) {
  EXPECT_EQ(Parse({"show"}).code, 64);
  EXPECT_EQ(Parse({"show", "7", "9"}).code, 64);
  EXPECT_EQ(Parse({"show", "-7"}).code, 64);
  EXPECT_TRUE(Parse({"show", "7", "--raw"}).options.raw);
  EXPECT_EQ(Parse({}).code, 64);
  EXPECT_EQ(Parse({"--help"}).code, 0);
}

TEST(DeadLettersOptions, SinceIsADurationOrAMoment) {
  EXPECT_EQ(ParseSince("2h", kNow), "2025-01-27T08:30:00.000Z");
  EXPECT_EQ(ParseSince("7d", kNow), "2025-01-20T10:30:00.000Z");
  EXPECT_EQ(ParseSince("2025-01-27T11:30:00+01:00", kNow), "2025-01-27T11:30:00+01:00");
  for (const char* text : {"", "yesterday", "2h ago", "-2h", "2025-01-27", "2025-01-27T11:30:00",
                           "1737973800", "2025-02-30T00:00:00Z", "99999999d"}) {
    EXPECT_FALSE(ParseSince(text, kNow)) << text;
  }
  EXPECT_EQ(Parse({"list", "--since", "2h"}).options.since, "2025-01-27T08:30:00.000Z");
  EXPECT_EQ(Parse({"list", "--since", "yesterday"}).code, 64);
}

}  // namespace
}  // namespace auren::app
