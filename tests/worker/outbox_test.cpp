// What is sent on its own: what a flight takes as published, and the records themselves. The
// producer is the real one, the broker is librdkafka's mock, which fails on command.
#include <gtest/gtest.h>

#include <map>

#include "kafka/event_record.h"
#include "kafka/flight.h"
#include "kafka/mirror.h"
#include "kafka_mock.h"

namespace auren::kafka {
namespace {

using std::chrono::milliseconds;

class FlightTest : public testing::Test {
 protected:
  FlightTest() { cluster_.Topic("events", 1); }

  Producer::Sent Send(std::int64_t position, std::size_t size = 10) {
    Record record;
    record.topic = "events";
    record.key = "user:ann";
    record.value = std::string(size, 'x');
    return flight_->Send(&producer_, record, position);
  }

  // Every record has its report.
  void AwaitReports() {
    ASSERT_TRUE(Await([&] { return flight_->state().unreported == 0; }));
  }

  static Producer::Options Options() {
    Producer::Options options;
    options.linger_ms = 0;  // a request for each
    options.timeout = milliseconds(0);
    return options;
  }

  MockCluster cluster_;
  std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  std::shared_ptr<Flight> flight_ = std::make_shared<Flight>(bell_, 1000);
  Producer producer_{cluster_.settings(), Options()};
};

using Positions = std::vector<std::int64_t>;

TEST_F(FlightTest, WhatIsAcknowledgedLeavesInOrder) {
  for (const std::int64_t position : {4, 7, 9}) EXPECT_EQ(Send(position), Producer::Sent::kQueued);
  EXPECT_EQ(flight_->state().records, 3U);
  AwaitReports();
  EXPECT_EQ(flight_->TakeAcknowledged(), (Positions{4, 7, 9}));
  EXPECT_EQ(flight_->TakeAcknowledged(), Positions{});
  EXPECT_EQ(flight_->state().records, 0U);
  EXPECT_EQ(flight_->state().bytes, 0);
}

TEST_F(FlightTest, NothingBehindAFailedRecordCounts) {
  ASSERT_EQ(Send(1), Producer::Sent::kQueued);
  AwaitReports();
  cluster_.FailProduce({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  ASSERT_EQ(Send(2), Producer::Sent::kQueued);
  // Given away while nothing was known of the failure, and stored.
  for (std::int64_t position = 3;; ++position) {
    if (Send(position) != Producer::Sent::kQueued) break;
  }
  AwaitReports();
  EXPECT_EQ(flight_->TakeAcknowledged(), Positions{1});
  const Flight::State state = flight_->state();
  ASSERT_TRUE(state.failure);
  EXPECT_EQ(state.failure->position, 2);
  EXPECT_TRUE(state.failure->too_large);
  EXPECT_EQ(Send(100), Producer::Sent::kUnavailable);

  flight_->Clear();
  ASSERT_EQ(Send(2), Producer::Sent::kQueued);
  AwaitReports();
  EXPECT_EQ(flight_->TakeAcknowledged(), Positions{2});
  EXPECT_FALSE(flight_->state().failure);
}

TEST_F(FlightTest, ABrokerThatIsAwayForAWhileFailsNothing) {
  ASSERT_EQ(Send(1), Producer::Sent::kQueued);
  AwaitReports();
  cluster_.Down();
  for (const std::int64_t position : {2, 3}) ASSERT_EQ(Send(position), Producer::Sent::kQueued);
  std::string why;
  ASSERT_TRUE(Await([&] { return producer_.away(&why); }));
  EXPECT_EQ(flight_->state().unreported, 2U);
  cluster_.Up();
  AwaitReports();
  EXPECT_EQ(flight_->TakeAcknowledged(), (Positions{1, 2, 3}));
}

TEST_F(FlightTest, WhatWasForgottenIsNotReported) {
  cluster_.Down();
  ASSERT_EQ(Send(1, 500), Producer::Sent::kQueued);
  EXPECT_EQ(flight_->state().bytes, 500 + 8 + 200);
  flight_->Clear();
  EXPECT_EQ(flight_->state().bytes, 0);
  producer_.Stop(milliseconds(0));  // reports it as failed
  EXPECT_FALSE(flight_->state().failure);
}

std::map<std::string, std::string> HeadersOf(const Record& record) {
  std::map<std::string, std::string> headers;
  for (const Header& header : record.headers) headers[header.key] = header.value.value_or("(null)");
  return headers;
}

Event AnEvent() {
  Event event;
  event.position = 42;
  event.version = 7;
  event.stream_id = "user:ann";
  event.event_id = "0193b0c8-0000-7000-8000-000000000001";
  event.event_type = "mode_switched";
  event.created_at = "2025-01-27T10:30:00.250000Z";
  event.created_at_ms = 1737973800250;
  event.data = "{}";
  return event;
}

TEST(EventRecord, IsACloudEventInBinaryMode) {
  const Record record = ToRecord(AnEvent(), "events", EventSource("auren"));
  EXPECT_EQ(record.key, "user:ann");
  EXPECT_EQ(record.value, "{}");
  EXPECT_EQ(record.timestamp_ms, 1737973800250);
  EXPECT_EQ(record.partition, -1);
  const std::map<std::string, std::string> expected = {
      {"ce_specversion", "1.0"},           {"ce_id", "0193b0c8-0000-7000-8000-000000000001"},
      {"ce_source", "/auren/auren"},       {"ce_type", "mode_switched"},
      {"ce_subject", "user:ann"},          {"ce_time", "2025-01-27T10:30:00.250000Z"},
      {"ce_streamversion", "7"},           {"ce_position", "42"},
      {"content-type", "application/json"}};
  EXPECT_EQ(HeadersOf(record), expected);
}

TEST(EventRecord, SaysWhenItsDataIsLeftOut) {
  Event event = AnEvent();
  event.data.reset();
  event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const Record record = ToRecord(event, "events", "/auren/auren");
  EXPECT_FALSE(record.value);
  EXPECT_EQ(record.HeaderText("auren_truncated"), "too_large");
  EXPECT_EQ(record.HeaderText("content-type"), "application/json");
  EXPECT_EQ(record.HeaderText("traceparent"), event.traceparent);
}

TEST(EventRecord, SourceIsAUri) {
  EXPECT_EQ(EventSource("my db/1"), "/auren/my%20db%2F1");
  EXPECT_EQ(EventSource("zoë"), "/auren/zo%C3%AB");
}

MirroredLetter ALetter() {
  MirroredLetter letter;
  letter.id = 5;
  letter.topic = "biometric-events";
  letter.partition = 3;
  letter.offset = 41;
  letter.reason = "wrong_shape";
  letter.sqlstate = "22023";
  letter.attempts = "2";
  letter.first_seen = "2025-01-27T10:30:00.250Z";
  letter.key = "ann";
  letter.value = "{}";
  letter.headers = {{"__connect.errors.topic", "another"}, {"none", std::nullopt}};
  return letter;
}

TEST(LetterRecord, ItsOwnHeadersComeFirstAndTheReasonLast) {
  const Record record = ToRecord(ALetter(), "dlq", "auren-worker", Copy::kWhole);
  EXPECT_EQ(record.key, "ann");
  EXPECT_EQ(record.value, "{}");
  EXPECT_EQ(record.headers[0].value, "another");
  EXPECT_EQ(record.headers[1].value, std::nullopt);
  // A letter of somebody's dead letter topic: the last word is ours.
  EXPECT_EQ(record.HeaderText("__connect.errors.topic"), "biometric-events");
  EXPECT_EQ(record.HeaderText("__connect.errors.stage"), "TASK_PUT");
  EXPECT_EQ(record.HeaderText("__connect.errors.exception.message"), "wrong_shape");
  EXPECT_EQ(record.HeaderText("auren.dlq.id"), "5");
  EXPECT_EQ(record.HeaderText(kTruncatedHeader), "");
}

TEST(LetterRecord, LeavesOutWhatDoesNotFit) {
  const Record smaller = ToRecord(ALetter(), "dlq", "auren-worker", Copy::kWithoutValue);
  EXPECT_EQ(smaller.key, "ann");
  EXPECT_FALSE(smaller.value);
  EXPECT_EQ(smaller.headers[0].value, "another");
  EXPECT_EQ(smaller.HeaderText(kTruncatedHeader), "too_large");

  const Record smallest = ToRecord(ALetter(), "dlq", "auren-worker", Copy::kReasonOnly);
  EXPECT_FALSE(smallest.key);
  EXPECT_EQ(smallest.headers[0].key, "__connect.errors.topic");
  EXPECT_EQ(smallest.HeaderText("auren.dlq.id"), "5");
}

}  // namespace
}  // namespace auren::kafka
