// The JSON form of a delivery and its event id, against known answers.
#include "ingest/delivery.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace auren::ingest {
namespace {

TEST(EventId, EqualsTheKnownAnswers) {
  std::ifstream file(AUREN_TEST_DATA "/event_ids.json");
  const auto vectors = nlohmann::json::parse(file).at("vectors");
  ASSERT_GE(vectors.size(), 3u);
  for (const auto& v : vectors) {
    EXPECT_EQ(EventId(v.at("source").get<std::string>(), v.at("delivery_id").get<std::string>()),
              v.at("event_id").get<std::string>())
        << v.dump();
  }
}

TEST(ToJson, LeavesOutWhatIsAbsent) {
  Delivery delivery;
  delivery.source = "healthkit";
  delivery.delivery_id = "d-1";
  delivery.user_id = "u1";
  Reading reading;
  reading.metric = "heart_rate";
  reading.value = "61";
  reading.start = "2026-01-01T00:00:00+02:00";
  delivery.readings.push_back(reading);
  EXPECT_EQ(ToJson(delivery),
            R"({"source":"healthkit","delivery_id":"d-1","user_id":"u1","readings":[)"
            R"({"metric":"heart_rate","value":61,"start":"2026-01-01T00:00:00+02:00"}]})");
}

TEST(ToJson, KeepsEveryFieldAndEscapes) {
  Delivery delivery;
  delivery.source = "oura";
  delivery.delivery_id = "a\"b\\c\n\x01";
  delivery.user_id = "J\xc3\xb6rg";
  delivery.event_type = "daily_sleep";
  delivery.received_at = "2026-01-01T00:00:00Z";
  delivery.trace_id = "t";
  delivery.key_name = "key 1";
  Reading reading;
  reading.metric = "sleep_stage";
  reading.value = "\"rem\"";
  reading.unit = "1";
  reading.start = "s";
  reading.end = "e";
  reading.statistic = "interval";
  reading.context = "sleep";
  reading.source = "ring";
  reading.external_id = "x";
  reading.flags = {"pending", "calibrating"};
  reading.deleted = true;
  delivery.readings = {reading, Reading{}};

  const auto json = nlohmann::json::parse(ToJson(delivery));
  EXPECT_EQ(json.at("delivery_id"), delivery.delivery_id);
  EXPECT_EQ(json.at("user_id"), delivery.user_id);
  EXPECT_EQ(json.at("event_type"), "daily_sleep");
  EXPECT_EQ(json.at("key_name"), "key 1");
  EXPECT_EQ(json.at("trace_id"), "t");
  const auto& first = json.at("readings").at(0);
  EXPECT_EQ(first, nlohmann::json::parse(
                       R"({"metric":"sleep_stage","value":"rem","unit":"1","start":"s","end":"e",
                           "statistic":"interval","context":"sleep","source":"ring",
                           "external_id":"x","flags":["pending","calibrating"],"deleted":true})"));
  EXPECT_EQ(json.at("readings").at(1), nlohmann::json::parse(R"({"value":null})"));
}

}  // namespace
}  // namespace auren::ingest
