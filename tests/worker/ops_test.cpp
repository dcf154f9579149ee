// Metrics, logs and readiness, as an operator reads them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "ops/log.h"
#include "ops/metrics.h"
#include "ops/readiness.h"

namespace auren::ops {
namespace {

TEST(Metrics, EveryFamilyHasAValueFromTheFirstScrape) {
  const Metrics metrics("1.2.3", "biometric-events");
  const std::string text = metrics.Expose();
  for (const char* family : {"auren_webhook_events_total",
                             "auren_webhook_process_duration_seconds",
                             "auren_active_webhook_tasks",
                             "auren_ingest_queue_wait_seconds",
                             "auren_ingest_batch_deliveries",
                             "auren_checkpoint_save_seconds",
                             "auren_kafka_messages_processed_total",
                             "auren_kafka_messages_sent_total",
                             "auren_kafka_consumer_lag_messages",
                             "auren_mode_switches_total",
                             "auren_users",
                             "auren_healthkit_samples_processed_total",
                             "auren_healthkit_batch_duration_seconds",
                             "auren_biometric_anomalies_detected_total",
                             "auren_biometric_data_quality_score",
                             "auren_dead_letters_total",
                             "auren_breaker_state",
                             "auren_outbox_lag_seconds",
                             "auren_endpoint_requests_total",
                             "auren_endpoint_duration_seconds",
                             "auren_config_last_reload_successful",
                             "auren_config_restart_required",
                             "auren_event_store_events",
                             "auren_event_store_bytes",
                             "auren_build_info",
                             "process_resident_memory_bytes",
                             "process_cpu_seconds_total",
                             "process_open_fds"}) {
    EXPECT_NE(text.find(std::string("# TYPE ") + family + " "), std::string::npos) << family;
    const std::regex value("\n" + std::string(family) +
                           R"re((_count|_bucket)?(\{[^}]*\})? [0-9.e+]+\n)re");
    EXPECT_TRUE(std::regex_search(text, value)) << family;
  }
  EXPECT_NE(text.find("auren_build_info{version=\"1.2.3\"} 1"), std::string::npos);
}

TEST(Metrics, Counts) {
  Metrics metrics("1", "t");
  metrics.WebhookAnswered("oura", "sleep", "applied", 0.003);
  metrics.WebhookAnswered("oura", "sleep", "applied", 0.2);
  metrics.ModeSwitched("baseline", "reflex", "hrv_drop");
  const std::string text = metrics.Expose();
  EXPECT_NE(text.find("auren_webhook_events_total{device_type=\"oura\",event_type=\"sleep\","
                      "status=\"applied\"} 2"),
            std::string::npos);
  EXPECT_NE(text.find("auren_webhook_process_duration_seconds_bucket{device_type=\"oura\","
                      "le=\"0.005\"} 1"),
            std::string::npos);
  EXPECT_NE(text.find("trigger=\"hrv_drop\"} 1"), std::string::npos);
}

class LogTest : public testing::Test {
 protected:
  LogTest() {
    log::SetSink([this](const std::string& line) { lines_.push_back(line); });
    log::SetLevel("info");
  }
  ~LogTest() override { log::SetSink({}); }
  std::vector<std::string> lines_;
};

TEST_F(LogTest, OneLineOfJsonWhateverIsSaid) {
  log::Info("room", "a \"quoted\"\nline",
            {{"n", 3}, {"f", 1.5}, {"bytes", "\xff\x01"}, {"empty", ""}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(lines_[0]);
  EXPECT_EQ(json.at("level"), "info");
  EXPECT_EQ(json.at("component"), "room");
  EXPECT_EQ(json.at("msg"), "a \"quoted\"\nline");
  EXPECT_EQ(json.at("n"), 3);
  EXPECT_FALSE(json.contains("empty"));
  EXPECT_TRUE(std::regex_match(json.at("ts").get<std::string>(),
                               std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
}

TEST_F(LogTest, LevelsFilter) {
  log::Debug("r", "no");
  EXPECT_TRUE(log::SetLevel("error"));
  log::Warn("r", "no");
  log::Error("r", "yes");
  EXPECT_FALSE(log::SetLevel("loud"));
  EXPECT_EQ(lines_.size(), 1u);
}

TEST_F(LogTest, PersonsAreMaskedByKeyedHash) {
  log::SetUserHashKey("test");
  // HMAC-SHA256("test", "private_person"), by another implementation.
  EXPECT_EQ(log::UserHash("private_person"), "60f9c421cbc7");
  EXPECT_EQ(log::UserHash(""), "");
  log::SetUserHashKey("other");
  EXPECT_NE(log::UserHash("private_person"), "60f9c421cbc7");
}

TEST_F(LogTest, ReadinessIsTheWorstOfItsChecks) {
  Readiness readiness;
  EXPECT_EQ(readiness.answer().status, 503) << "nobody has looked yet";
  readiness.Set("postgres", Readiness::Check::kOk, "");
  EXPECT_EQ(nlohmann::json::parse(readiness.answer().body).at("status"), "ready");
  readiness.Set("config", Readiness::Check::kDegraded, "why");
  EXPECT_EQ(readiness.answer().status, 200);
  EXPECT_EQ(nlohmann::json::parse(readiness.answer().body).at("status"), "degraded");
  readiness.Set("postgres", Readiness::Check::kDown, "gone");
  EXPECT_EQ(readiness.answer().status, 503);
  const auto body = nlohmann::json::parse(readiness.answer().body);
  EXPECT_EQ(body.at("status"), "not_ready");
  EXPECT_EQ(body.at("checks").at(1).at("detail"), "gone");
  readiness.Set("postgres", Readiness::Check::kOk, "");
  readiness.Stopping();
  EXPECT_EQ(readiness.answer().status, 503);
}

}  // namespace
}  // namespace auren::ops
