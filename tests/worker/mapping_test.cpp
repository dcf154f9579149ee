// From a provider's body to deliveries: expected readings, whose they are, and what is kept as
// sent.
#include <gtest/gtest.h>

#include <set>

#include "devices/crypto.h"
#include "devices/people.h"
#include "devices/timestamp.h"
#include "wearables.h"

namespace auren::devices {
namespace {

using ingest::Delivery;
using ingest::Reading;
using nlohmann::json;

class Mapping : public ::testing::Test {
 protected:
  Mapped Map(const std::string& provider, const std::string& body, const std::string& bound = "") {
    return MapBody(*catalog_, provider, body, bound);
  }
  // The problem's name, or "" when there is none.
  std::string Problem(const std::string& provider, const std::string& body) {
    return Name(Map(provider, body).problem);
  }
  // The only reading of one healthkit sample.
  Reading Sample(const json& sample) {
    const Mapped mapped =
        Map("healthkit", json{{"user_id", "u"}, {"samples", json::array({sample})}}.dump());
    EXPECT_EQ(mapped.detail, "");
    if (mapped.deliveries.size() != 1 || mapped.deliveries[0].readings.size() != 1) {
      ADD_FAILURE() << sample;
      return {};
    }
    return mapped.deliveries[0].readings[0];
  }
  std::shared_ptr<const Catalog> catalog_ = Shipped();
};

json OrNull(const std::string& text) { return text.empty() ? json() : json(text); }

// A reading in the columns of expected/*.json.
json Row(const Reading& r) {
  return json::array({r.metric, json::parse(r.value), r.unit, ToUtcMillis(*ParseTimestamp(r.start)),
                      ToUtcMillis(*ParseTimestamp(r.end)), r.statistic, OrNull(r.context),
                      OrNull(r.source), OrNull(r.external_id), r.flags});
}

TEST_F(Mapping, EqualsTheExpectedReadings) {
  for (const char* name : {"seed_healthkit_samples", "healthkit_hk_identifiers",
                           "hae_metrics_mixed", "hae_sleep_aggregated"}) {
    const json expected = Vectors("expected/" + std::string(name) + ".json");
    // Health Auto Export's shape maps alike on both routes.
    std::set<std::string> routes{"healthkit", expected.at("provider").get<std::string>()};
    for (const std::string& route : routes) {
      const Mapped mapped = Map(route, Payload(std::string(name) + ".json"),
                                expected.at("user_key") == "(api key)" ? "user_123" : "");
      ASSERT_EQ(mapped.deliveries.size(), 1u) << name << mapped.detail;
      const Delivery& delivery = mapped.deliveries[0];
      EXPECT_EQ(delivery.source, expected.at("provider").get<std::string>());
      EXPECT_EQ(delivery.user_id, "user_123");
      json rows = json::array();
      for (const Reading& reading : delivery.readings) {
        if (reading.mapped) rows.push_back(Row(reading));
      }
      EXPECT_EQ(rows, expected.at("rows")) << name;
    }
  }
}

TEST_F(Mapping, OuraSimpleShape) {
  const Mapped mapped = Map("oura", Payload("seed_oura_legacy.json"));
  ASSERT_EQ(mapped.deliveries.size(), 1u) << mapped.detail;
  EXPECT_EQ(mapped.event_type, "daily_sleep");
  const Delivery& delivery = mapped.deliveries[0];
  EXPECT_EQ(delivery.user_id, "user_123");
  EXPECT_EQ(delivery.provider_user, "user_123");
  json rows = json::array();
  for (const Reading& reading : delivery.readings) rows.push_back(Row(reading));
  EXPECT_EQ(rows, json::parse(R"([
    ["hrv_rmssd", 55, "ms", "2025-01-27T00:00:00.000Z", "2025-01-28T00:00:00.000Z", "daily", "sleep",
     null, null, ["interval_missing"]],
    ["heart_rate", 58, "/min", "2025-01-27T00:00:00.000Z", "2025-01-28T00:00:00.000Z", "daily",
     "sleep", null, null, ["interval_missing"]]])"));
}

TEST_F(Mapping, OuraGivesWhatIsThere) {
  const Mapped one = Map(
      "oura", R"({"user_id":"u","data":{"sleep":{"summary_date":"2025-01-27","hrv":{"average":null},
                  "heart_rate":{"average":58}}}})");
  ASSERT_EQ(one.deliveries.size(), 1u);
  ASSERT_EQ(one.deliveries[0].readings.size(), 1u);
  EXPECT_EQ(one.deliveries[0].readings[0].metric, "heart_rate");
  EXPECT_EQ(one.event_type, "other");
  EXPECT_EQ(Problem("oura", R"({"user_id":"u","data":{"sleep":{}}})"), "no_usable_reading");
  EXPECT_EQ(Problem("oura", R"({"data":{"sleep":{"hrv":{"average":1}}}})"), "user_unresolved");
}

TEST_F(Mapping, OuraNoticesAreNeverTakenAsIfTheyWereDone) {
  EXPECT_EQ(Problem("oura", Payload("oura_webhook_sleep_create.json")), "not_built");
  EXPECT_EQ(Map("oura", Payload("oura_webhook_sleep_create.json")).event_type, "create");
  const Mapped tag =
      Map("oura", R"({"event_type":"create","data_type":"tag","object_id":"1","user_id":"u"})");
  EXPECT_TRUE(tag.ignored);
  EXPECT_EQ(tag.problem, devices::Problem::kNone);
  EXPECT_TRUE(tag.deliveries.empty());
}

TEST_F(Mapping, SleepStatesInEverySpelling) {
  const json file = Vectors("sleep_states.json");
  for (const char* table : {"healthkit_raw", "healthkit_names", "healthkit_export_strings"}) {
    for (const auto& [word, state] : file.at(table).items()) {
      const std::string canonical =
          state.get<std::string>().substr(0, state.get<std::string>().find(' '));
      const Reading reading =
          Sample({{"type", "sleepAnalysis"}, {"value", word}, {"timestamp", 1737973800}});
      EXPECT_EQ(reading.value, "\"" + canonical + "\"") << word;
      EXPECT_TRUE(reading.flags.empty()) << word;
    }
  }
  for (const auto& [word, state] : file.at("hae").items()) {
    const json body = {
        {"data",
         {{"metrics",
           json::array({{{"name", "sleep_analysis"},
                         {"data", json::array({{{"startDate", "2025-01-27 02:10:00 +0100"},
                                                {"qty", 0.5},
                                                {"endDate", "2025-01-27 02:34:00 +0100"},
                                                {"value", word}}})}}})}}}};
    const Mapped mapped = Map("health_auto_export", body.dump(), "u");
    ASSERT_EQ(mapped.deliveries.size(), 1u);
    ASSERT_EQ(mapped.deliveries[0].readings.size(), 1u) << "one stage, and no duration beside it";
    const Reading& reading = mapped.deliveries[0].readings[0];
    EXPECT_EQ(reading.metric, "sleep_stage");
    EXPECT_EQ(reading.value, state.dump()) << word;
    EXPECT_EQ(reading.end, "2025-01-27T02:34:00+01:00");
  }
}

TEST_F(Mapping, AnUnknownSleepStateIsSaidSo) {
  const Reading reading =
      Sample({{"type", "sleepAnalysis"}, {"value", "floating"}, {"timestamp", 1737973800}});
  EXPECT_EQ(reading.value, "\"unknown\"");
  EXPECT_EQ(reading.flags, std::vector<std::string>{"unmapped_state"});
}

TEST_F(Mapping, EveryMetricOfTheCatalogueHasItsUnit) {
  std::map<std::string, json> known;
  const json file = Vectors("metrics.json");
  for (const json& metric : file.at("metrics")) {
    known[metric.at("metric").get<std::string>()] = metric;
  }
  ASSERT_EQ(known.size(), 31u);
  for (const auto& [name, metric] : known) {
    for (const char* key : {"hk", "short", "metric"}) {
      if (metric.at(key).is_null()) continue;
      const Reading reading =
          Sample({{"type", metric.at(key)}, {"value", 3}, {"timestamp", 1737973800}});
      EXPECT_EQ(reading.metric, name) << metric.at(key);
      EXPECT_EQ(reading.unit, metric.at("ucum").get<std::string>()) << name;
      EXPECT_TRUE(reading.mapped);
    }
    if (metric.at("hae").is_null() ||
        metric.at("hae").get<std::string>().find('.') != std::string::npos) {
      continue;
    }
    const json row = {{name == "sleep_stage" ? "value" : "qty", 3}, {"date", 1737973800}};
    const json body = {
        {"data",
         {{"metrics", json::array({{{"name", metric.at("hae")}, {"data", json::array({row})}}})}}}};
    const Mapped mapped = Map("health_auto_export", body.dump(), "u");
    ASSERT_EQ(mapped.deliveries.size(), 1u) << name;
    EXPECT_EQ(mapped.deliveries[0].readings.at(0).metric, name);
    EXPECT_EQ(mapped.deliveries[0].readings.at(0).unit, metric.at("ucum").get<std::string>());
  }
}

TEST_F(Mapping, UnitsAreInferredOrKept) {
  const auto sample = [&](const char* type, double value, const json& unit) {
    json in = {{"type", type}, {"value", value}, {"timestamp", 1737973800}};
    if (!unit.is_null()) in["unit"] = unit;
    return Sample(in);
  };
  const std::vector<std::string> inferred{"unit_inferred"}, none;
  EXPECT_EQ(sample("bodyTemperature", 98.6, json()).value, "37");
  EXPECT_EQ(sample("bodyTemperature", 98.6, json()).flags, inferred);
  EXPECT_EQ(sample("bodyTemperature", 36.6, json()).value, "36.6");
  EXPECT_EQ(sample("bodyTemperature", 36.6, json()).flags, inferred);
  EXPECT_EQ(sample("bodyTemperature", 310.15, json()).value, "37");
  EXPECT_EQ(sample("bodyTemperature", 36.6, "degC").flags, none);
  EXPECT_EQ(sample("oxygenSaturation", 0.97, json()).value, "97");
  EXPECT_EQ(sample("oxygenSaturation", 0.97, json()).flags, inferred);
  EXPECT_EQ(sample("oxygenSaturation", 97, json()).flags, none);
  EXPECT_EQ(sample("oxygenSaturation", 1, "%").value, "100");
  EXPECT_EQ(sample("oxygenSaturation", 0, "%").value, "0");
  EXPECT_EQ(sample("bloodGlucose", 5.5, "mmol/L").value, "99.0858");
  const Reading odd = sample("heartRate", 72, "widgets");
  EXPECT_EQ(odd.value, "72");
  EXPECT_EQ(odd.unit, "widgets");
  EXPECT_EQ(odd.flags, std::vector<std::string>{"unit_unknown"});
}

TEST_F(Mapping, WhatIsNoNumberIsKeptAsItCame) {
  const auto value = [&](const json& in) {
    return Sample({{"type", "heartRate"}, {"value", in}, {"timestamp", 1737973800}}).value;
  };
  EXPECT_EQ(value("72"), "\"72\"");
  EXPECT_EQ(value("a\"\n\\b"), R"("a\"\n\\b")");
  EXPECT_EQ(value(true), "true");
  EXPECT_EQ(value(json::parse(R"({"avg": [1, 2]})")), R"({"avg":[1,2]})");
  EXPECT_EQ(json::parse(value(1e300)), json(1e300));
  EXPECT_EQ(value(9007199254740993), "9007199254740993");
}

TEST_F(Mapping, WhatNoRuleUnderstandsIsKeptWhole) {
  const Reading missing = Sample({{"type", "heartRate"}, {"timestamp", 1737973800}});
  EXPECT_FALSE(missing.mapped);
  EXPECT_EQ(missing.metric, "heart_rate");
  EXPECT_EQ(json::parse(missing.value), json({{"type", "heartRate"}, {"timestamp", 1737973800}}));
  const Reading unknown =
      Sample({{"type", "auraColour"}, {"value", 3}, {"unit", "hue"}, {"timestamp", "yesterday"}});
  EXPECT_FALSE(unknown.mapped);
  EXPECT_EQ(unknown.metric, "auraColour");
  EXPECT_EQ(unknown.unit, "hue");
  EXPECT_EQ(unknown.start, "yesterday") << "a time that is none is kept, too";

  const Mapped mixed =
      Map("healthkit",
          R"({"user_id":"u","samples":[7,{"type":"heartRate","value":70,"timestamp":1}]})");
  ASSERT_EQ(mixed.deliveries.size(), 1u);
  ASSERT_EQ(mixed.deliveries[0].readings.size(), 2u);
  EXPECT_EQ(mixed.deliveries[0].readings[0].value, "7");
  EXPECT_FALSE(mixed.deliveries[0].readings[0].mapped);
}

TEST_F(Mapping, TimesKeepTheirOffsetOrSayThatItIsAssumed) {
  const Reading local = Sample({{"type", "heartRate"},
                                {"value", 1},
                                {"startDate", "2025-01-27 11:30:00 +0100"},
                                {"endDate", "2025-01-27 11:31:00 +0100"}});
  EXPECT_EQ(local.start, "2025-01-27T11:30:00+01:00");
  EXPECT_EQ(local.end, "2025-01-27T11:31:00+01:00");
  const Reading instant =
      Sample({{"type", "heartRate"}, {"value", 1}, {"timestamp", "2025-01-27 11:30:00 +0100"}});
  EXPECT_EQ(instant.end, "2025-01-27T11:30:00+01:00") << "an end of our own keeps it, too";
  const Reading naive =
      Sample({{"type", "heartRate"}, {"value", 1}, {"timestamp", "2025-01-27T10:30:00"}});
  EXPECT_EQ(naive.start, "2025-01-27T10:30:00Z");
  EXPECT_EQ(naive.flags, std::vector<std::string>{"assumed_utc"});
}

TEST_F(Mapping, ContextsAreOurWords) {
  const auto context = [&](const char* word) {
    return Sample({{"type", "heartRate"}, {"value", 1}, {"timestamp", 1}, {"context", word}})
        .context;
  };
  EXPECT_EQ(context("Sedentary"), "sedentary");
  EXPECT_EQ(context("workout"), "workout");
  EXPECT_EQ(context("levitating"), "unknown");
  EXPECT_EQ(context(""), "");
}

TEST_F(Mapping, BadBodiesSayWhatIsWrong) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "malformed"},
      {Payload("edge_not_json.txt"), "malformed"},
      {R"({"user_id":"u","samples":[NaN]})", "malformed"},
      {R"({"user_id":"a\u0000b","samples":[]})", "malformed"},
      {std::string("{\"user_id\":\"a\0b\"}", 15), "malformed"},
      {"{\"user_id\":\"\xff\xfe\",\"samples\":[]}", "malformed"},
      {std::string(65, '[') + std::string(65, ']'), "malformed"},
      {R"({"user_id":"u"} {})", "malformed"},
      {Payload("edge_empty_samples.json"), "no_usable_reading"},
      {R"({"user_id":"u","samples":[1,"x",null]})", "no_usable_reading"},
      {R"({"user_id":"u","samples":{}})", "wrong_shape"},
      {R"({"user_id":"u","samples":null})", "wrong_shape"},
      {R"({"user_id":"u"})", "wrong_shape"},
      {R"("text")", "wrong_shape"},
      {"7", "wrong_shape"},
      {"null", "wrong_shape"},
      {"[]", "no_usable_reading"},
      {R"([{"user_id":"u","samples":[]},7])", "wrong_shape"},
      {R"({"samples":[{"type":"heartRate","value":1,"timestamp":1}]})", "user_unresolved"},
      {R"({"user_id":"","samples":[{"type":"heartRate","value":1}]})", "user_unresolved"},
      {R"({"user_id":"a\nb","samples":[{"type":"heartRate","value":1}]})", "user_unresolved"},
      {R"({"user_id":{},"samples":[{"type":"heartRate","value":1}]})", "user_unresolved"},
      {R"({"data":{"metrics":"x"}})", "user_unresolved"},
  };
  for (const auto& [body, problem] : cases) {
    const Mapped mapped = Map("healthkit", body);
    EXPECT_STREQ(Name(mapped.problem), problem) << body;
    EXPECT_FALSE(mapped.detail.empty()) << body;
    EXPECT_TRUE(mapped.deliveries.empty());
  }
  EXPECT_EQ(
      Map("healthkit", R"({"user_id":"a\\u0000b","samples":[{"type":"x","value":1}]})").problem,
      devices::Problem::kNone)
      << "an escaped backslash before u0000 is plain text";
  EXPECT_EQ(Problem("healthkit", std::string(64, '[') + std::string(64, ']')), "wrong_shape");
}

TEST_F(Mapping, AUserIsBoundNamedOrNobody) {
  const std::string samples = R"("samples":[{"type":"heartRate","value":1,"timestamp":1}]})";
  const std::string named = R"({"user_id":"ann",)" + samples, nameless = "{" + samples;
  EXPECT_EQ(Map("healthkit", named, "ann").deliveries.at(0).user_id, "ann");
  EXPECT_EQ(Map("healthkit", nameless, "ann").deliveries.at(0).user_id, "ann");
  EXPECT_STREQ(Name(Map("healthkit", named, "bob").problem), "user_mismatch");
  EXPECT_EQ(Map("healthkit", R"({"user_id":10129,)" + samples).deliveries.at(0).user_id, "10129");

  Sent sent;
  sent.body = Payload("hae_metrics_mixed.json");
  sent.headers["x-auren-user"] = "carl";
  Verdict verdict;
  EXPECT_EQ(catalog_->Find("healthkit")->Map(sent.request(), verdict).deliveries.at(0).user_id,
            "carl");
  verdict.bound_user = "ann";
  EXPECT_STREQ(Name(catalog_->Find("healthkit")->Map(sent.request(), verdict).problem),
               "user_mismatch");
}

TEST_F(Mapping, PeopleInOneBodyGetADeliveryEach) {
  json batch = json::array();
  for (const char* user : {"ann", "bob", "ann", "idle"}) {
    json samples = json::array();
    if (user != std::string("idle")) {
      samples.push_back({{"type", "heartRate"}, {"value", 60}, {"timestamp", 1737973800}});
    }
    batch.push_back({{"user_id", user}, {"samples", samples}});
  }
  const Mapped mapped = Map("healthkit", batch.dump());
  ASSERT_EQ(mapped.deliveries.size(), 2u);
  EXPECT_EQ(mapped.deliveries[0].user_id, "ann");
  EXPECT_EQ(mapped.deliveries[0].readings.size(), 2u);
  EXPECT_EQ(mapped.deliveries[1].user_id, "bob");
  const std::string id = "sha256:" + Sha256Hex(batch.dump());
  EXPECT_EQ(mapped.deliveries[0].delivery_id, id + "#0");
  EXPECT_EQ(mapped.deliveries[1].delivery_id, id + "#1");

  while (batch.size() < 101) batch.push_back(batch[0]);
  EXPECT_EQ(Problem("healthkit", batch.dump()), "wrong_shape");
  batch.erase(100);
  EXPECT_EQ(Problem("healthkit", batch.dump()), "");
}

TEST_F(Mapping, ManyReadingsAreSplitAndNoneIsLost) {
  json samples = json::array();
  for (int i = 0; i < 2500; ++i) {
    samples.push_back({{"type", "heartRate"}, {"value", i}, {"timestamp", 1737973800 + i}});
  }
  const Mapped mapped = Map("healthkit", json{{"user_id", "u"}, {"samples", samples}}.dump());
  ASSERT_EQ(mapped.deliveries.size(), 3u);
  int next = 0;
  for (std::size_t i = 0; i < mapped.deliveries.size(); ++i) {
    EXPECT_TRUE(mapped.deliveries[i].delivery_id.ends_with("#" + std::to_string(i)));
    for (const Reading& reading : mapped.deliveries[i].readings) {
      EXPECT_EQ(reading.value, std::to_string(next++));
    }
  }
  EXPECT_EQ(next, 2500);
}

TEST_F(Mapping, LargeReadingsAreSplitByTheirBytes) {
  json samples = json::array();
  for (int i = 0; i < 40; ++i) {
    samples.push_back({{"type", "heartRate"},
                       {"value", std::string(40'000, '\x01')},
                       {"timestamp", 1737973800 + i}});
  }
  const Mapped mapped = Map("healthkit", json{{"user_id", "u"}, {"samples", samples}}.dump());
  ASSERT_GT(mapped.deliveries.size(), 1u);
  std::size_t readings = 0;
  for (const Delivery& delivery : mapped.deliveries) {
    EXPECT_LE(ToJson(delivery).size(), kMaxDeliveryBytes);
    readings += delivery.readings.size();
  }
  EXPECT_EQ(readings, 40u);
}

TEST(DeliveryKey, IsMadeOfTheNamedParts) {
  std::string error;
  const auto catalog = Catalog::Load(AUREN_TEST_DATA "/devices", &error);
  ASSERT_NE(catalog, nullptr) << error;
  Sent sent;
  sent.body = Payload("standard_webhook_reading.json");
  sent.headers["webhook-id"] = "msg_auren0001";
  const Device* device = catalog->Find("standard_webhooks");
  const Mapped mapped = device->Map(sent.request(), Verdict{});
  ASSERT_EQ(mapped.deliveries.size(), 1u) << mapped.detail;
  EXPECT_EQ(mapped.deliveries[0].delivery_id, "msg_auren0001");
  EXPECT_EQ(mapped.deliveries[0].user_id, "user_123");
  sent.headers.clear();
  EXPECT_EQ(device->Map(sent.request(), Verdict{}).deliveries.at(0).delivery_id,
            "sha256:" + Sha256Hex(sent.body));
}

}  // namespace
}  // namespace auren::devices
