// Deliveries as Kafka records and back: the bytes, both formats alike, and every reason why not.
#include "kafka/codec.h"

#include <auren/v1/delivery.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "app/simulate.h"
#include "ingest/json_document.h"
#include "wearables.h"

namespace auren::kafka {
namespace {

using ingest::Delivery;
using ingest::Reading;

Delivery One() {
  Delivery delivery;
  delivery.source = "healthkit";
  delivery.delivery_id = "d-1";
  delivery.user_id = "u1";
  delivery.received_at = "2025-01-27T10:30:05.250Z";
  delivery.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  delivery.provider = "healthkit";
  Reading reading;
  reading.metric = "heart_rate";
  reading.value = "61";
  reading.start = "2025-01-27T11:30:00+01:00";
  delivery.readings.push_back(reading);
  return delivery;
}

Record Plain(std::optional<std::string> value, const std::string& content_type = "") {
  Record record;
  record.value = std::move(value);
  if (!content_type.empty()) record.headers.push_back({"content-type", content_type});
  return record;
}

std::string ReasonOf(const Record& record) { return Decode(record).reason; }

TEST(KafkaEncode, HasTheKnownBytes) {
  const Record record = Encode(One(), Format::kJson);
  EXPECT_EQ(record.key, "u1");
  EXPECT_EQ(record.timestamp_ms, 1737973805250);
  EXPECT_EQ(
      record.value,
      R"({"source":"healthkit","delivery_id":"d-1","user_id":"u1",)"
      R"("received_at":"2025-01-27T10:30:05.250Z","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",)"
      R"("readings":[{"metric":"heart_rate","value":61,"start":"2025-01-27T11:30:00+01:00"}]})");
  std::vector<std::string> names;
  for (const Header& header : record.headers) names.push_back(header.key);
  EXPECT_EQ(names, (std::vector<std::string>{"ce_specversion", "ce_id", "ce_source", "ce_type",
                                             "ce_time", "content-type", "traceparent"}));
  EXPECT_EQ(record.HeaderText("ce_specversion"), "1.0");
  EXPECT_EQ(record.HeaderText("ce_id"), "42a6b6de-29f1-528e-86c4-cc9509bfb5a3");
  EXPECT_EQ(record.HeaderText("ce_source"), "/auren/webhooks/healthkit");
  EXPECT_EQ(record.HeaderText("ce_type"), "auren.delivery.v1");
  EXPECT_EQ(record.HeaderText("ce_time"), "2025-01-27T10:30:05.250Z");
  EXPECT_EQ(record.HeaderText("content-type"), "application/json");
}

TEST(KafkaEncode, GoesOnWithTheTraceInASpanOfItsOwn) {
  std::set<std::string> spans;
  for (int i = 0; i < 100; ++i) {
    const Record record = Encode(One(), Format::kJson);
    const std::string trace(record.HeaderText("traceparent"));
    ASSERT_EQ(trace.size(), 55u);
    EXPECT_EQ(trace.substr(0, 36), "00-4bf92f3577b34da6a3ce929d0e0e4736-");
    EXPECT_EQ(trace.substr(52), "-01");
    spans.insert(trace.substr(36, 16));
  }
  EXPECT_EQ(spans.size(), 100u);
}

TEST(KafkaEncode, TellsTheConsumerWhatOnlyItCanCheck) {
  Delivery delivery = One();
  delivery.provider_user = "10129";
  delivery.bound_user = "u1";
  delivery.provider = "whoop";
  const Decoded decoded = Decode(Encode(delivery, Format::kJson));
  EXPECT_EQ(decoded.provider, "whoop");
  EXPECT_EQ(decoded.provider_user, "10129");
  EXPECT_EQ(decoded.bound_user, "u1");
}

// What a format gives back is, byte by byte, the text that direct mode would give to PostgreSQL.
void ExpectAlikeByBothFormats(Delivery delivery) {
  delivery.received_at = "2025-01-27T10:30:05.250Z";
  const std::string json = ToJson(delivery);
  for (const Format format : {Format::kJson, Format::kProtobuf}) {
    const Decoded decoded = Decode(Encode(delivery, format));
    ASSERT_TRUE(decoded.ok()) << decoded.detail;
    EXPECT_EQ(decoded.json, R"({"received_at":"2025-01-27T10:30:05.250Z",)" + json.substr(1));
  }
}

TEST(KafkaCodec, EveryPayloadComesBackAlikeByBothFormats) {
  const auto catalog = devices::Shipped();
  int seen = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(AUREN_TEST_DATA "/wearables/payloads")) {
    const std::string body = devices::ReadBytes(file.path().string());
    for (const std::string& provider : catalog->providers()) {
      for (const Delivery& delivery :
           devices::MapBody(*catalog, provider, body, "bound").deliveries) {
        ExpectAlikeByBothFormats(delivery);
        ++seen;
      }
    }
  }
  EXPECT_GE(seen, 4);
}

TEST(KafkaCodec, EverySimulatedDayComesBackAlikeByBothFormats) {
  const auto catalog = devices::Shipped();
  app::SimulateOptions options;
  options.people = 8;
  options.days = 10;
  options.now_unix = 1737960072;
  int seen = 0;
  for (options.seed = 1; options.seed <= 3; ++options.seed) {
    for (const app::Post& post : app::Simulate(options, {})) {
      for (const Delivery& delivery :
           devices::MapBody(*catalog, post.provider, post.body, post.user_id).deliveries) {
        ExpectAlikeByBothFormats(delivery);
        ++seen;
      }
    }
  }
  EXPECT_GT(seen, 200);
}

TEST(KafkaCodec, EveryValueComesBackAsItWasSent) {
  for (const char* value : {"0",
                            "-0",
                            "61",
                            "61.0",
                            "61.50",
                            "0.1",
                            "1e22",
                            "1e+22",
                            "1e400",
                            "-1.5e-7",
                            "9007199254740993",
                            "0.30000000000000004",
                            R"("deep")",
                            R"("")",
                            R"("\u00e9\n\"")",
                            "\"\xc3\xa9\"",
                            "true",
                            "null",
                            R"({"a":[1,2.0]})",
                            "[]"}) {
    Delivery delivery = One();
    delivery.readings[0].value = value;
    delivery.trace_id.clear();
    const Decoded json = Decode(Encode(delivery, Format::kJson));
    const Decoded protobuf = Decode(Encode(delivery, Format::kProtobuf));
    EXPECT_EQ(json.json, protobuf.json) << value;
    EXPECT_EQ(json.reason, protobuf.reason) << value;
    if (json.ok()) {
      EXPECT_NE(json.json.find(R"("value":)" + std::string(value) + ","), std::string::npos)
          << json.json;
    }
  }
}

TEST(KafkaCodec, ANumberIsADoubleOnlyIfNoDigitIsLost) {
  const auto read = [](const char* value) {
    Delivery delivery = One();
    delivery.readings[0].value = value;
    v1::Delivery message;
    EXPECT_TRUE(message.ParseFromString(*Encode(delivery, Format::kProtobuf).value));
    return message.readings(0);
  };
  EXPECT_EQ(read("61").number(), 61);
  EXPECT_EQ(read("61.0").json(), "61.0");
  EXPECT_EQ(read("9007199254740993").json(), "9007199254740993");
  EXPECT_EQ(read(R"("deep")").state(), "deep");
  EXPECT_EQ(read(R"("a\nb")").json(), R"("a\nb")");
  EXPECT_EQ(read("true").json(), "true");
}

TEST(KafkaDecode, DefaultsGiveWayToWhatTheDocumentSays) {
  Record record = Plain(" {\"a\":1}");
  EXPECT_EQ(Decode(record).json, "{\"a\":1}");
  record.timestamp_ms = 1737973805250;
  EXPECT_EQ(Decode(record).json, R"({"received_at":"2025-01-27T10:30:05.250Z","a":1})");
  record.headers.push_back(
      {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"});
  EXPECT_EQ(Decode(record).json,
            R"({"received_at":"2025-01-27T10:30:05.250Z",)"
            R"("traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","a":1})");
  // nlohmann keeps the last of equal keys too.
  record.value = R"({"received_at":"2020-01-01T00:00:00Z"})";
  EXPECT_EQ(nlohmann::json::parse(Decode(record).json)["received_at"], "2020-01-01T00:00:00Z");
  record.value = "{ }";
  EXPECT_EQ(nlohmann::json::parse(Decode(record).json).size(), 2u);
  record.headers.back().value = "\xff\" injected";
  EXPECT_EQ(nlohmann::json::parse(Decode(record).json).size(), 1u);
}

TEST(KafkaDecode, WhatIsNoObjectIsLeftToTheDatabase) {
  Record record = Plain(" [1] ");
  record.timestamp_ms = 1;
  const Decoded decoded = Decode(record);
  EXPECT_EQ(decoded.json, " [1] ");
  EXPECT_FALSE(IsObject(decoded.json));
  EXPECT_TRUE(IsObject(" \n{}"));
  EXPECT_FALSE(IsObject(" "));
  EXPECT_FALSE(IsObject("\"{\""));
}

TEST(KafkaDecode, SetUserWins) {
  for (const char* text :
       {"{}", "{ } \n", R"({"user_id":"a"})", R"({"user_id":"a","x":{"y":1} } )"}) {
    std::string json = Decode(Plain(text)).json;
    SetUser("b\"\\", &json);
    EXPECT_EQ(nlohmann::json::parse(json).at("user_id"), "b\"\\") << json;
  }
}

TEST(KafkaDecode, TheContentTypeTellsTheFormat) {
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "text/x+json",
                           " application/vnd.auren+json ;a=b", ""}) {
    EXPECT_TRUE(Decode(Plain("{}", type)).ok()) << type;
  }
  const std::string bytes = *Encode(One(), Format::kProtobuf).value;
  for (const char* type : {"application/protobuf", "application/x-protobuf",
                           "application/vnd.google.protobuf; proto=auren.v1.Delivery"}) {
    EXPECT_TRUE(Decode(Plain(bytes, type)).ok()) << type;
    EXPECT_EQ(ReasonOf(Plain("{}", type)), "malformed") << type;
  }
  for (const char* type : {"text/plain", "application/avro", "json", "application/jsonx"}) {
    EXPECT_EQ(ReasonOf(Plain("{}", type)), "unknown_content_type") << type;
  }
  const Decoded structured = Decode(Plain("{}", "Application/CloudEvents+json"));
  EXPECT_EQ(structured.reason, "unknown_content_type");
  EXPECT_NE(structured.detail.find("structured CloudEvent"), std::string::npos);
  // A null header is none.
  Record record = Plain("{}");
  record.headers.push_back({"content-type", std::nullopt});
  EXPECT_TRUE(Decode(record).ok());
}

TEST(KafkaDecode, SaysWhyNot) {
  EXPECT_EQ(ReasonOf(Plain(std::nullopt)), "empty_value");
  EXPECT_EQ(ReasonOf(Plain("")), "malformed");
  EXPECT_EQ(ReasonOf(Plain("", "application/protobuf")), "malformed");
  const std::string blank(kMaxValue - 2, ' ');
  EXPECT_TRUE(Decode(Plain("{" + blank + "}")).ok());
  EXPECT_EQ(ReasonOf(Plain("{" + blank + " }")), "too_large");
  for (const std::string& text : std::vector<std::string>{
           "{", "{} {}", "nan", "\xEF\xBB\xBF{}", "\"\xff\"", std::string("\"a\0b\"", 5),
           std::string("{}\0", 3), R"("\u0000")", R"({"\u0000":1})", R"("\ud800")", R"("\udc00")",
           R"("\udc00\ud800")", "\"\xed\xa0\x80\"", "1e400",
           std::string(65, '[') + std::string(65, ']')}) {
    EXPECT_EQ(ReasonOf(Plain(text)), "malformed") << text;
  }
  EXPECT_TRUE(Decode(Plain(R"("\\u0000")")).ok());
  EXPECT_TRUE(Decode(Plain(std::string(64, '[') + std::string(64, ']'))).ok());
  Record record = Plain("{}");
  record.headers.push_back({"auren_bound_user", "\xff"});
  EXPECT_EQ(ReasonOf(record), "malformed");
  record.headers.back().value = std::string("a\0b", 3);
  EXPECT_EQ(ReasonOf(record), "malformed");
}

std::string ReasonOfProtobuf(const v1::Delivery& message) {
  return ReasonOf(Plain(message.SerializeAsString(), "application/protobuf"));
}

TEST(KafkaDecode, ProtobufIsHeldToTheSame) {
  EXPECT_EQ(ReasonOf(Plain("\xff\xff\xff garbage", "application/protobuf")), "malformed");
  // Cut off within a reading.
  const std::string bytes = *Encode(One(), Format::kProtobuf).value;
  EXPECT_EQ(ReasonOf(Plain(bytes.substr(0, bytes.size() - 3), "application/protobuf")),
            "malformed");
  EXPECT_EQ(ReasonOf(Plain("\x0a\x02\xff\xfe", "application/protobuf")), "malformed");

  v1::Delivery message;
  message.set_source("healthkit");
  v1::Reading* reading = message.add_readings();
  EXPECT_EQ(ReasonOfProtobuf(message), "");
  reading->set_number(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(ReasonOfProtobuf(message), "malformed");
  reading->set_number(std::numeric_limits<double>::infinity());
  EXPECT_EQ(ReasonOfProtobuf(message), "malformed");
  reading->set_state(std::string("a\0b", 3));
  EXPECT_EQ(ReasonOfProtobuf(message), "malformed");
  // It must not close the reading it stands in.
  reading->set_json(R"(1},{"metric":"x","value":2)");
  EXPECT_EQ(ReasonOfProtobuf(message), "malformed");
  reading->set_json("");
  EXPECT_EQ(ReasonOfProtobuf(message), "malformed");
  reading->set_json(std::string(61, '[') + std::string(61, ']'));
  EXPECT_EQ(ReasonOfProtobuf(message), "");
  reading->set_json(std::string(62, '[') + std::string(62, ']'));
  EXPECT_EQ(ReasonOfProtobuf(message), "malformed");
}

TEST(KafkaDecode, TakesNoTimeFromATimestampThatIsNone) {
  for (const std::int64_t ms : {std::numeric_limits<std::int64_t>::max(), std::int64_t{-1},
                                std::int64_t{9'223'372'036'855}, std::int64_t{0}}) {
    Record record = Plain(R"({"source":"healthkit"})");
    record.timestamp_ms = ms;
    EXPECT_EQ(Decode(record).json, R"({"source":"healthkit"})") << ms;
  }
  Record record = Plain("{}");
  record.timestamp_ms = 9'223'372'036'854;
  EXPECT_EQ(Decode(record).json, R"({"received_at":"2262-04-11T23:47:16.854Z"})");
}

}  // namespace
}  // namespace auren::kafka
