// The publisher against a mock cluster: what it answers, and when.
#include "kafka/publisher.h"

#include <atomic>
#include <future>

#include "kafka_mock.h"

namespace auren::kafka {
namespace {

using ingest::Answer;
using ingest::Delivery;
using Clock = ingest::Sink::Clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kTopic[] = "deliveries";

Delivery Deliver(const std::string& id, const std::string& user = "u1") {
  Delivery delivery;
  delivery.source = "healthkit";
  delivery.delivery_id = id;
  delivery.user_id = user;
  delivery.received_at = "2025-01-27T10:30:05.250Z";
  ingest::Reading reading;
  reading.metric = "heart_rate";
  reading.value = "61";
  reading.start = "2025-01-27T11:30:00+01:00";
  delivery.readings.push_back(reading);
  return delivery;
}

class KafkaPublisher : public ::testing::Test {
 protected:
  KafkaPublisher() { cluster_.Topic(kTopic, 1); }

  Publisher Make(Producer* producer, std::int64_t max_deliveries = 512) {
    Publisher::Options options;
    options.topic = kTopic;
    options.max_deliveries = max_deliveries;
    return Publisher(producer, options,
                     [this](bool acknowledged) { ++(acknowledged ? acknowledged_ : failed_); });
  }
  static Clock::time_point In(milliseconds time) { return Clock::now() + time; }

  std::atomic<int> acknowledged_{0}, failed_{0};
  MockCluster cluster_;
};

TEST_F(KafkaPublisher, QueuedMeansInTheTopic) {
  Producer producer(cluster_.settings(), {});
  Publisher publisher = Make(&producer);
  std::vector<Delivery> two = {Deliver("d-1"), Deliver("d-2")};
  const Answer answer = publisher.Submit(two, In(seconds(60)));
  ASSERT_EQ(answer.kind, Answer::Kind::kDone);
  ASSERT_EQ(answer.outcomes.size(), 2u);
  EXPECT_EQ(answer.outcomes[0].status, "queued");
  EXPECT_EQ(answer.outcomes[0].event_id, "42a6b6de-29f1-528e-86c4-cc9509bfb5a3");
  EXPECT_EQ(publisher.under_way(), 0);
  EXPECT_EQ(acknowledged_, 2);
  const auto records = cluster_.Arrived(kTopic, 1, 2);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].key, "u1");
  EXPECT_EQ(records[0].HeaderText("ce_id"), answer.outcomes[0].event_id);
  EXPECT_EQ(records[1].HeaderText("ce_id"), answer.outcomes[1].event_id);
  EXPECT_EQ(records[0].timestamp_ms, 1737973805250);
}

TEST_F(KafkaPublisher, RejectsWhatNeedsNoDatabaseToBeRefused) {
  Producer producer(cluster_.settings(), {});
  Publisher publisher = Make(&producer);
  std::vector<Delivery> some = {Deliver("nobody", ""), Deliver("other"), Deliver("linked"),
                                Deliver("large"), Deliver("good")};
  some[1].bound_user = "u2";
  some[2].bound_user = "u2";  // the vendor's user may be linked to u2: only the database knows
  some[2].provider_user = "10129";
  some[3].readings[0].source.assign(kMaxValue, 'x');
  const Answer answer = publisher.Submit(some, In(seconds(60)));
  ASSERT_EQ(answer.kind, Answer::Kind::kDone);
  std::vector<std::string> said;
  for (const auto& outcome : answer.outcomes) said.push_back(outcome.status + outcome.problem);
  EXPECT_EQ(said, (std::vector<std::string>{R"(rejected{"code":"user_unresolved"})",
                                            R"(rejected{"code":"user_mismatch"})", "queued",
                                            R"(rejected{"code":"too_large"})", "queued"}));
  EXPECT_EQ(answer.outcomes[0].readings_rejected, 1);
  const auto records = cluster_.Arrived(kTopic, 1, 2);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].HeaderText("auren_bound_user"), "u2");
  EXPECT_EQ(records[0].HeaderText("auren_provider_user"), "10129");
}

TEST_F(KafkaPublisher, WhatTheBrokerFindsTooLargeIsRejectedAlone) {
  Producer producer(cluster_.settings(), {});
  Publisher publisher = Make(&producer);
  ASSERT_EQ(publisher.Submit({Deliver("a")}, In(seconds(60))).kind, Answer::Kind::kDone);
  cluster_.FailProduce({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  const Answer answer = publisher.Submit({Deliver("b")}, In(seconds(60)));
  ASSERT_EQ(answer.kind, Answer::Kind::kDone);
  EXPECT_EQ(answer.outcomes[0].status, "rejected");
  EXPECT_EQ(answer.outcomes[0].problem, R"({"code":"too_large"})");
  EXPECT_EQ(answer.outcomes[0].event_id, ingest::EventId(Deliver("b")));
  EXPECT_EQ(answer.outcomes[0].readings_rejected, 1);
  EXPECT_EQ(failed_, 1);
}

TEST_F(KafkaPublisher, NobodyIsToldQueuedWhileTheBrokerIsAway) {
  Producer producer(cluster_.settings(), {});
  Publisher publisher = Make(&producer);
  ASSERT_EQ(publisher.Submit({Deliver("a")}, In(seconds(60))).kind, Answer::Kind::kDone);
  cluster_.Down();
  ASSERT_TRUE(Await([&] { return producer.away(nullptr); }));
  EXPECT_EQ(publisher.Submit({Deliver("b")}, In(milliseconds(50))).kind,
            Answer::Kind::kBrokerUnavailable);
  EXPECT_EQ(publisher.under_way(), 1);
  // Once one has waited for a while, others are refused before they are sent.
  EXPECT_TRUE(Await([&] {
    const std::int64_t before = publisher.under_way();
    EXPECT_EQ(publisher.Submit({Deliver("c")}, In(milliseconds(50))).kind,
              Answer::Kind::kBrokerUnavailable);
    return publisher.under_way() == before;
  }));
  cluster_.Up();
  // The one that waits finds the broker again; then all is as before.
  EXPECT_TRUE(Await([&] { return publisher.under_way() == 0; }));
  EXPECT_EQ(publisher.Submit({Deliver("d")}, In(seconds(60))).kind, Answer::Kind::kDone);
}

TEST_F(KafkaPublisher, ABrokerThatDoesNotAnswerIsNotWaitedForBeyondTheDeadline) {
  Producer producer(cluster_.settings(), {});
  Publisher publisher = Make(&producer, /*max_deliveries=*/2);
  ASSERT_EQ(publisher.Submit({Deliver("a")}, In(seconds(60))).kind, Answer::Kind::kDone);
  rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, 3000);
  EXPECT_EQ(publisher.Submit({Deliver("b")}, In(milliseconds(50))).kind, Answer::Kind::kDeadline);
  // What nobody waits for any more still counts, until it is reported.
  EXPECT_EQ(publisher.under_way(), 1);
  EXPECT_EQ(publisher.Submit({Deliver("c"), Deliver("d")}, In(seconds(60))).kind,
            Answer::Kind::kQueueFull);
  rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, 0);
  EXPECT_TRUE(Await([&] { return publisher.under_way() == 0; }));
  cluster_.Arrived(kTopic, 1, 2);  // a and b, which may be stored; never c
}

TEST_F(KafkaPublisher, OneRequestLargerThanTheBoundIsLetInAlone) {
  Producer producer(cluster_.settings(), {});
  Publisher publisher = Make(&producer, /*max_deliveries=*/1);
  EXPECT_EQ(publisher.Submit({Deliver("a"), Deliver("b")}, In(seconds(60))).kind,
            Answer::Kind::kDone);
}

TEST_F(KafkaPublisher, AfterStopTheBrokerIsUnavailable) {
  Producer producer(cluster_.settings(), {});
  Publisher publisher = Make(&producer);
  producer.Stop(seconds(0));
  EXPECT_EQ(publisher.Submit({Deliver("a")}, In(seconds(60))).kind,
            Answer::Kind::kBrokerUnavailable);
  EXPECT_EQ(publisher.under_way(), 0);
}

}  // namespace
}  // namespace auren::kafka
