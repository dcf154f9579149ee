// The parts of the Kafka consumer that need neither broker nor PostgreSQL: fuse, batch, letters.
#include <gtest/gtest.h>

#include <string>

#include "kafka/batch.h"
#include "kafka/fuse.h"
#include "kafka/letters.h"

namespace auren::kafka {
namespace {

// After how many of a repeated pattern it blows; -1: not within `most`.
int BlowsAfter(const std::string& pattern, int most) {
  Fuse fuse;
  for (int i = 0; i < most; ++i) {
    const auto at = static_cast<std::size_t>(i) % pattern.size();
    if (fuse.Blown(pattern[at] == 'x')) return i + 1;
  }
  return -1;
}

TEST(Fuse, BlowsAtFiftyInARow) {
  EXPECT_EQ(BlowsAfter("x", 100), 50);
  EXPECT_EQ(BlowsAfter(std::string(49, 'x') + std::string(60, '.'), 100'000), -1);
}

TEST(Fuse, BlowsAtOverHalfOfTheLastThousand) {
  EXPECT_EQ(BlowsAfter("x.", 100'000), -1);  // exactly half
  EXPECT_EQ(BlowsAfter("xx.", 100'000), 751);
  EXPECT_EQ(BlowsAfter("x..", 100'000), -1);
}

TEST(Fuse, ForgetsWhatIsOlderThanAThousand) {
  Fuse fuse;
  for (int i = 0; i < 499; ++i) {
    ASSERT_FALSE(fuse.Blown(true)) << i;
    ASSERT_FALSE(fuse.Blown(false)) << i;
  }
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(fuse.Blown(false)) << i;
  for (int i = 0; i < 49; ++i) ASSERT_FALSE(fuse.Blown(true)) << i;
  EXPECT_TRUE(fuse.Blown(true));
}

Item At(std::int32_t partition, std::int64_t offset, std::optional<std::string> value = "v") {
  Item item;
  item.record.partition = partition;
  item.record.offset = offset;
  item.record.value = std::move(value);
  return item;
}

TEST(Batch, ReachesBehindTheLastOfEachPartition) {
  // Gaps are transactions' marks, or compaction's.
  const Batch batch = {At(0, 5), At(3, 100), At(0, 9), At(3, 101, "last")};
  const auto reaches = ReachOf(batch);
  ASSERT_EQ(reaches.size(), 2U);
  EXPECT_EQ(reaches.at(0).next, 10);
  EXPECT_EQ(reaches.at(3).next, 102);
  EXPECT_EQ(reaches.at(3).digest, DigestOf(batch[3].record));
  EXPECT_NE(reaches.at(3).digest, DigestOf(batch[1].record));
  EXPECT_TRUE(ReachOf({}).empty());
}

TEST(Batch, ADigestTellsEachPartOfARecord) {
  Record record;
  record.timestamp_ms = 1;
  record.key = "ab";
  record.value = "c";
  const std::string digest = DigestOf(record);
  EXPECT_EQ(digest.size(), 32U);
  EXPECT_EQ(digest.find_first_not_of("0123456789abcdef"), std::string::npos);
  const auto differs = [&](auto change) {
    Record other = record;
    change(other);
    return DigestOf(other) != digest;
  };
  EXPECT_TRUE(differs([](Record& r) { r.timestamp_ms = 2; }));
  EXPECT_TRUE(differs([](Record& r) { r.key = "a", r.value = "bc"; }));
  EXPECT_TRUE(differs([](Record& r) { r.key.reset(); }));
  EXPECT_TRUE(differs([](Record& r) { r.value = ""; }));
  // Where it lies and what came with it are not its content.
  EXPECT_FALSE(differs([](Record& r) { r.offset = 9, r.headers.push_back({"a", "b"}); }));
  Record none = record, empty = record;
  none.value.reset();
  empty.value = "";
  EXPECT_NE(DigestOf(none), DigestOf(empty));
}

Refusal LetterFor(const std::string& problem, const std::string& ce_id = "") {
  static Item item;
  item.record.headers.clear();
  if (!ce_id.empty()) item.record.headers.push_back({"ce_id", ce_id});
  ingest::Outcome outcome;
  outcome.status = "rejected";
  outcome.problem = problem;
  return RefusalOf(item, outcome);
}

TEST(Letters, HaveAReasonOfTheirOwnOrTheirShapeIsWrong) {
  for (const char* code : {"malformed", "unknown_content_type", "empty_value", "too_large",
                           "invalid_name", "event_id_conflict", "no_usable_reading", "sql_error",
                           "stream_tombstoned", "user_mismatch"}) {
    EXPECT_EQ(LetterFor(std::string(R"({"code":")") + code + "\"}").reason, code);
  }
  for (const char* problem :
       {R"({"code":"missing_member"})", R"({"code":7})", "{}", "[]", "", "{"}) {
    EXPECT_EQ(LetterFor(problem).reason, "wrong_shape") << problem;
  }
  const Refusal letter =
      LetterFor(R"({"code":"sql_error","detail":"no \"66\" here","sqlstate":"22000"})");
  EXPECT_EQ(letter.detail, "no \"66\" here");
  EXPECT_EQ(letter.sqlstate, "22000");
}

TEST(Letters, NameTheEventOnlyByWhatIsAnId) {
  const std::string id = "42a6b6de-29f1-528e-86c4-cc9509bfb5a3";
  EXPECT_EQ(LetterFor("{}", id).event_id, id);
  for (const std::string& other :
       {id.substr(1), id + "0", std::string(36, '-'), std::string(36, 'a'),
        "{" + id.substr(2) + "}", std::string("42a6b6de-29f1-528e-86c4-cc9509bfb5a\xe9")}) {
    EXPECT_EQ(LetterFor("{}", other).event_id, "") << other;
  }
}

TEST(Letters, KeepHeadersAsTheyCame) {
  EXPECT_EQ(HeadersJson({}), "[]");
  EXPECT_EQ(HeadersJson({{"a", "1"}, {"a", std::nullopt}, {"", ""}}),
            R"([{"key":"a","value":"1"},{"key":"a","value":null},{"key":"","value":""}])");
  EXPECT_EQ(HeadersJson({{"q\"\n", "\x01"}}), R"([{"key":"q\"\u000a","value":"\u0001"}])");
  EXPECT_EQ(HeadersJson({{"b", std::string("\0\xff", 2)}}), R"([{"key":"b","base64":"AP8="}])");
  EXPECT_EQ(HeadersJson({{"\xff", "v"}}), R"([{"key":"base64:/w==","value":"v"}])");
  EXPECT_EQ(HeadersJson({{"b", "\xed\xa0\x80"}}), R"([{"key":"b","base64":"7aCA"}])");
}

}  // namespace
}  // namespace auren::kafka
