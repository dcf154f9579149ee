// Timestamps, units and the small values of configuration files, against known answers.
#include <gtest/gtest.h>

#include <cmath>

#include "devices/scalar.h"
#include "devices/timestamp.h"
#include "devices/units.h"
#include "wearables.h"

namespace auren::devices {
namespace {

std::optional<Timestamp> ParseAny(const nlohmann::json& in) {
  if (in.is_number_integer()) return FromEpoch(in.get<std::int64_t>());
  if (in.is_number()) return FromEpoch(in.get<double>());
  return ParseTimestamp(in.get<std::string>());
}

TEST(Timestamp, EqualsTheKnownAnswers) {
  const auto file = Vectors("timestamp_vectors.json");
  ASSERT_GE(file.at("vectors").size(), 14u);
  for (const auto& v : file.at("vectors")) {
    const auto time = ParseAny(v.at("in"));
    ASSERT_EQ(time.has_value(), !v.at("utc").is_null()) << v.dump();
    if (!time) continue;
    EXPECT_EQ(ToUtcMillis(*time), v.at("utc").get<std::string>()) << v.dump();
    EXPECT_EQ(time->offset_minutes.has_value(), !v.at("zone_offset_min").is_null()) << v.dump();
    if (time->offset_minutes) {
      EXPECT_EQ(*time->offset_minutes, v.at("zone_offset_min").get<int>());
    }
    const std::string flag = v.value("flag", "");
    EXPECT_EQ(time->naive, flag.starts_with("assumed_utc")) << v.dump();
  }
}

TEST(Timestamp, KeepsTheOffsetThatWasWritten) {
  const std::pair<const char*, const char*> cases[] = {
      {"2025-01-27 11:30:00 +0100", "2025-01-27T11:30:00+01:00"},
      {"2025-01-27T10:30:00.250-05:30", "2025-01-27T10:30:00.25-05:30"},
      {"2025-01-27T10:30:00.000000+00:00", "2025-01-27T10:30:00Z"},
      {"2025-01-27 01:05:00 pm +0000", "2025-01-27T13:05:00Z"},
      {"2025-01-27 12:05:00 AM +0100", "2025-01-27T00:05:00+01:00"},
      {"2025-01-27 12:05:00 PM +0100", "2025-01-27T12:05:00+01:00"},
      {"2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"},
      {"2025-01-27T10:30Z", "2025-01-27T10:30:00Z"},
      {"2025-01-27", "2025-01-27T00:00:00Z"},
      {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"},
      {"0001-01-02T00:00:00Z", "0001-01-02T00:00:00Z"},
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
      {"2025-01-27T10:30:00.1234567Z", "2025-01-27T10:30:00.123456Z"},
  };
  for (const auto& [in, out] : cases) {
    const auto time = ParseTimestamp(in);
    ASSERT_TRUE(time) << in;
    EXPECT_EQ(ToRfc3339(*time), out) << in;
  }
}

TEST(Timestamp, RefusesWhatIsNone) {
  for (const char* in : {"",
                         "2025",
                         "2025-13-01",
                         "2025-00-10",
                         "2025-01-32",
                         "2025-02-29",
                         "0000-01-01",
                         "2025-01-27T",
                         "2025-01-27T24:00:00Z",
                         "2025-01-27T10:60:00Z",
                         "2025-01-27T10:30:61Z",
                         "2025-01-27T10:30:00+16:00",
                         "2025-01-27T10:30:00+01:60",
                         "2025-01-27T10:30:00Zx",
                         "2025-01-27 13:00:00 PM +0000",
                         "2025-01-27 00:30:00 AM +0000",
                         "2025-01-27T10:30:00.Z",
                         "2025-01-27T10",
                         "x2025-01-27T10:30:00Z",
                         "12345",
                         "99999999999999999999999999",
                         "2025-01-27T10:30:00 Europe/Berlin",
                         "-1737973800"}) {
    EXPECT_FALSE(ParseTimestamp(in)) << in;
  }
  EXPECT_FALSE(FromEpoch(1e300));
  EXPECT_FALSE(FromEpoch(std::nan("")));
}

TEST(Timestamp, ReadsAnEpochByItsMagnitude) {
  for (const double epoch : {1737973800.0, 1737973800e3, 1737973800e6, 1737973800e9}) {
    EXPECT_EQ(ToRfc3339(*FromEpoch(epoch)), "2025-01-27T10:30:00Z") << epoch;
  }
  EXPECT_EQ(ToRfc3339(*FromEpoch(1737973800.25)), "2025-01-27T10:30:00.25Z");
  EXPECT_EQ(ToRfc3339(*FromEpoch(std::int64_t{0})), "1970-01-01T00:00:00Z");
  EXPECT_EQ(ToRfc3339(*FromEpoch(std::int64_t{-1})), "1969-12-31T23:59:59Z");
}

TEST(Units, EqualTheKnownAnswers) {
  const auto file = Vectors("unit_conversions.json");
  ASSERT_GE(file.at("known_answers").size(), 28u);
  for (const auto& v : file.at("known_answers")) {
    const auto out = Convert(v.at("in").get<double>(), v.at("from").get<std::string>(),
                             v.at("to").get<std::string>());
    ASSERT_TRUE(out) << v.dump();
    EXPECT_NEAR(*out, v.at("out").get<double>(), v.at("abs_tol").get<double>()) << v.dump();
  }
}

TEST(Units, KnowEveryAlias) {
  const auto file = Vectors("unit_conversions.json");
  ASSERT_GE(file.at("unit_aliases").size(), 8u);
  for (const auto& [unit, aliases] : file.at("unit_aliases").items()) {
    for (const auto& alias : aliases) {
      // "calories (Fitbit/Oura integer kcal)": the word is what stands before the remark
      const std::string word =
          alias.get<std::string>().substr(0, alias.get<std::string>().find(" (Fit"));
      EXPECT_EQ(CanonicalUnit(word), unit) << word;
    }
  }
}

TEST(Units, ConvertWithoutNoise) {
  EXPECT_EQ(*Convert(98.6, "degF", "Cel"), 37.0);
  EXPECT_EQ(*Convert(0.965, "fraction", "%"), 96.5);
  EXPECT_EQ(*Convert(418.4, "kJ", "kcal"), 100.0);
}

TEST(Units, AreNotMixed) {
  EXPECT_FALSE(Convert(1, "kg", "m"));
  EXPECT_FALSE(Convert(1, "widgets", "m"));
  EXPECT_FALSE(Convert(1, "count", "/min"));
  EXPECT_EQ(*Convert(7, "count", "{steps}"), 7);
}

TEST(Units, AreInferredByMagnitude) {
  EXPECT_EQ(InferUnit(Infer::kTemperature, 36.6), "Cel");
  EXPECT_EQ(InferUnit(Infer::kTemperature, 45), "Cel");
  EXPECT_EQ(InferUnit(Infer::kTemperature, 98.6), "degF");
  EXPECT_EQ(InferUnit(Infer::kTemperature, 115), "degF");
  EXPECT_EQ(InferUnit(Infer::kTemperature, 310.15), "K");
  EXPECT_EQ(InferUnit(Infer::kTemperature, 320), "Cel");
  EXPECT_EQ(InferUnit(Infer::kFraction, 0.97), "fraction");
  EXPECT_EQ(InferUnit(Infer::kFraction, 1), "fraction");
  EXPECT_EQ(InferUnit(Infer::kFraction, 97), "%");
  EXPECT_EQ(InferUnit(Infer::kFraction, 0), "%");
}

TEST(Scalar, ReadsDurationsAndSizes) {
  EXPECT_EQ(ParseDuration("250ms"), 0.25);
  EXPECT_EQ(ParseDuration("5s"), 5);
  EXPECT_EQ(ParseDuration("1.5h"), 5400);
  EXPECT_EQ(ParseDuration("7d"), 604800);
  EXPECT_EQ(ParseDuration("0"), 0);
  for (const char* bad : {"", "5", "s", "-5s", "5 s", "5sec", "0x5s", "1e3s", "nan", ".5s"}) {
    EXPECT_FALSE(ParseDuration(bad)) << bad;
  }
  EXPECT_EQ(ParseSize("256KiB"), 262144);
  EXPECT_EQ(ParseSize("1.5MiB"), 1572864);
  EXPECT_EQ(ParseSize("12"), 12);
  EXPECT_EQ(ParseSize("12B"), 12);
  for (const char* bad : {"", "KiB", "1KB", "1kib", "-1", "0.5", "99999999999GiB"}) {
    EXPECT_FALSE(ParseSize(bad)) << bad;
  }
}

TEST(Scalar, FindsTheNearestWord) {
  EXPECT_EQ(Nearest("lissten", {"listen", "threads"}), "listen");
  EXPECT_EQ(Nearest("lsiten", {"listen", "threads"}), "listen");
  EXPECT_EQ(Nearest("zebra", {"listen", "threads"}), "");
}

TEST(Scalar, KnowsOnlyTrueAndFalse) {
  EXPECT_EQ(ParseBool("true"), true);
  EXPECT_EQ(ParseBool("false"), false);
  for (const char* bad : {"yes", "no", "on", "True", "TRUE", "1", ""}) EXPECT_FALSE(ParseBool(bad));
}

}  // namespace
}  // namespace auren::devices
