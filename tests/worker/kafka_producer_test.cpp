// The producer against a mock cluster that fails on command.
#include "kafka/producer.h"

#include <map>
#include <mutex>
#include <set>

#include "kafka_mock.h"

namespace auren::kafka {
namespace {

using Report = Producer::Report;
using std::chrono::milliseconds;

constexpr char kTopic[] = "t";

// The reports of records, by their value. More than one for a record fails the test.
class Reports {
 public:
  Producer::Done For(const std::string& value) {
    return [this, value](const Report& report) {
      const std::lock_guard lock(mutex_);
      EXPECT_TRUE(reports_.emplace(value, report).second) << value;
    };
  }
  bool AwaitAll(std::size_t count) const {
    return Await([&] { return size() == count; });
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return reports_.size();
  }
  std::size_t Count(Report::Kind kind) const {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const auto& [value, report] : reports_) count += report.kind == kind ? 1 : 0;
    return count;
  }
  Report of(const std::string& value) const {
    const std::lock_guard lock(mutex_);
    return reports_.at(value);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Report> reports_;
};

Record Make(const std::string& value, const std::string& key = "k") {
  Record record;
  record.topic = kTopic;
  record.key = key;
  record.value = value;
  return record;
}

class KafkaProducer : public ::testing::Test {
 protected:
  void SendSome(Producer* producer, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string value = std::to_string(i);
      ASSERT_EQ(producer->Send(Make(value), reports_.For(value)), Producer::Sent::kQueued);
    }
  }
  // Each of them once, in the order in which they were sent.
  void ExpectArrived(const MockCluster& cluster, int count) {
    const auto records = cluster.Arrived(kTopic, 1, static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(records[i].value, std::to_string(i));
    }
  }
  Reports reports_;  // outlives every producer
};

TEST_F(KafkaProducer, ARecordArrivesAsItIs) {
  MockCluster cluster;
  cluster.Topic(kTopic, 1);
  Producer producer(cluster.settings(), {});
  Record record = Make("value", "key");
  record.timestamp_ms = 1737973805250;
  record.headers = {{"a", "1"}, {"a", "2"}, {"empty", ""}, {"null", std::nullopt}};
  EXPECT_EQ(producer.Send(record, reports_.For("value")), Producer::Sent::kQueued);
  Record bare;
  bare.topic = kTopic;
  EXPECT_EQ(producer.Send(bare, reports_.For("null")), Producer::Sent::kQueued);
  Record hollow = Make("", "");
  EXPECT_EQ(producer.Send(hollow, reports_.For("")), Producer::Sent::kQueued);
  ASSERT_TRUE(reports_.AwaitAll(3));
  EXPECT_EQ(reports_.of("value").kind, Report::Kind::kAcknowledged);
  EXPECT_EQ(reports_.of("value").partition, 0);
  EXPECT_EQ(reports_.of("value").offset, 0);
  EXPECT_EQ(reports_.of("null").offset, 1);

  const auto arrived = cluster.Arrived(kTopic, 1, 3);
  ASSERT_EQ(arrived.size(), 3u);
  EXPECT_EQ(arrived[0].key, "key");
  EXPECT_EQ(arrived[0].value, "value");
  EXPECT_EQ(arrived[0].timestamp_ms, 1737973805250);
  ASSERT_EQ(arrived[0].headers.size(), 4u);
  EXPECT_EQ(arrived[0].headers[1].value, "2");
  EXPECT_EQ(arrived[0].headers[2].value, "");
  EXPECT_EQ(arrived[0].headers[3].value, std::nullopt);
  EXPECT_EQ(arrived[1].key, std::nullopt);
  EXPECT_EQ(arrived[1].value, std::nullopt);
  EXPECT_EQ(arrived[2].key, "");
  EXPECT_EQ(arrived[2].value, "");
}

// Known answers of murmur2 as Java's clients hash keys; the partition is the hash without its sign,
// modulo the partitions.
TEST_F(KafkaProducer, AKeyGoesWhereJavaWouldSendIt) {
  constexpr int kPartitions = 1000;
  const std::map<std::string, std::int32_t> known = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107}};
  MockCluster cluster;
  cluster.Topic(kTopic, kPartitions);
  Producer producer(cluster.settings(), {});
  for (const auto& [key, hash] : known) {
    EXPECT_EQ(producer.Send(Make("x", key), reports_.For(key)), Producer::Sent::kQueued);
  }
  ASSERT_TRUE(reports_.AwaitAll(known.size()));
  for (const auto& [key, hash] : known) {
    EXPECT_EQ(reports_.of(key).partition, (hash & 0x7fffffff) % kPartitions) << key;
  }
}

TEST_F(KafkaProducer, RetriesWithoutLossRepeatOrDisorder) {
  MockCluster cluster;
  cluster.Topic(kTopic, 1);
  cluster.FailProduce({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__TRANSPORT,
                       RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                       RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                       RD_KAFKA_RESP_ERR__TRANSPORT});
  Producer producer(cluster.settings(), {});
  SendSome(&producer, 500);
  ASSERT_TRUE(reports_.AwaitAll(500));
  EXPECT_EQ(reports_.Count(Report::Kind::kAcknowledged), 500u);
  ExpectArrived(cluster, 500);
}

TEST_F(KafkaProducer, KnowsThatTheBrokerIsAwayAndThatItIsBack) {
  MockCluster cluster;
  cluster.Topic(kTopic, 1);
  Producer producer(cluster.settings(), {});
  std::string why;
  SendSome(&producer, 1);
  ASSERT_TRUE(reports_.AwaitAll(1));
  EXPECT_FALSE(producer.away(&why));
  cluster.Down();
  EXPECT_TRUE(Await([&] { return producer.away(&why); }));
  EXPECT_NE(why, "");
  EXPECT_EQ(producer.Send(Make("1"), reports_.For("1")), Producer::Sent::kQueued);
  EXPECT_EQ(producer.queued(), 1);
  cluster.Up();
  ASSERT_TRUE(reports_.AwaitAll(2));
  EXPECT_EQ(reports_.of("1").kind, Report::Kind::kAcknowledged);
  EXPECT_FALSE(producer.away(&why));
  ExpectArrived(cluster, 2);
}

TEST_F(KafkaProducer, GivesUpByItsTimeout) {
  MockCluster cluster;
  cluster.Topic(kTopic, 1);
  cluster.Down();
  Producer::Options options;
  options.timeout = milliseconds(100);
  Producer producer(cluster.settings(), options);
  SendSome(&producer, 1);
  ASSERT_TRUE(reports_.AwaitAll(1));
  EXPECT_EQ(reports_.of("0").kind, Report::Kind::kNotStored);
  EXPECT_NE(reports_.of("0").error, "");
}

TEST_F(KafkaProducer, AFullQueueRefusesAtOnce) {
  MockCluster cluster;
  cluster.Topic(kTopic, 1);
  cluster.Down();
  Producer::Options options;
  options.queue_messages = 10;
  Producer producer(cluster.settings(), options);
  SendSome(&producer, 10);
  EXPECT_EQ(producer.Send(Make("more"), reports_.For("more")), Producer::Sent::kQueueFull);
  EXPECT_EQ(producer.queued(), 10);
  cluster.Up();
  ASSERT_TRUE(reports_.AwaitAll(10));
  ExpectArrived(cluster, 10);  // and not the refused one
}

TEST_F(KafkaProducer, WhatIsTooLargeOrHasNoTopicIsToldSo) {
  MockCluster cluster;
  cluster.Topic(kTopic, 1);
  Producer producer(cluster.settings(), {});
  EXPECT_EQ(producer.Send(Make(std::string(2'000'000, 'x')), reports_.For("large")),
            Producer::Sent::kTooLarge);
  SendSome(&producer, 1);
  ASSERT_TRUE(reports_.AwaitAll(1));
  Record record = Make("nowhere");
  record.partition = 7;  // it is known by now that there is only one
  EXPECT_EQ(producer.Send(record, reports_.For("nowhere")), Producer::Sent::kNoTopic);
  EXPECT_EQ(producer.queued(), 0);
  cluster.FailProduce({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  EXPECT_EQ(producer.Send(Make("refused"), reports_.For("refused")), Producer::Sent::kQueued);
  ASSERT_TRUE(reports_.AwaitAll(2));
  EXPECT_TRUE(reports_.of("refused").too_large);
  EXPECT_EQ(reports_.of("refused").kind, Report::Kind::kNotStored);
}

// A sequence that the broker cannot place is the end of an idempotent handle, not of the producer.
TEST_F(KafkaProducer, AFatalErrorIsHealedByANewHandle) {
  MockCluster cluster;
  cluster.Topic(kTopic, 1);
  Producer producer(cluster.settings(), {});
  SendSome(&producer, 1);
  ASSERT_TRUE(reports_.AwaitAll(1));
  cluster.FailProduce({RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  EXPECT_EQ(producer.Send(Make("doomed"), reports_.For("doomed")), Producer::Sent::kQueued);
  ASSERT_TRUE(reports_.AwaitAll(2));
  EXPECT_NE(reports_.of("doomed").kind, Report::Kind::kAcknowledged);
  // It is told before the new handle is there.
  EXPECT_TRUE(Await(
      [&] { return producer.Send(Make("1"), reports_.For("1")) == Producer::Sent::kQueued; }));
  ASSERT_TRUE(reports_.AwaitAll(3));
  EXPECT_EQ(reports_.of("1").kind, Report::Kind::kAcknowledged);
  ExpectArrived(cluster, 2);
}

TEST_F(KafkaProducer, StopSendsWhatIsUnderWay) {
  MockCluster cluster;
  cluster.Topic(kTopic, 1);
  Producer::Options options;
  options.linger_ms = 50;
  Producer producer(cluster.settings(), options);
  SendSome(&producer, 100);
  producer.Stop(milliseconds(60'000));
  EXPECT_EQ(reports_.Count(Report::Kind::kAcknowledged), 100u);
  EXPECT_EQ(producer.Send(Make("late"), reports_.For("late")), Producer::Sent::kUnavailable);
  ExpectArrived(cluster, 100);
}

TEST_F(KafkaProducer, StopReportsWhatItCannotSend) {
  MockCluster cluster;
  cluster.Topic(kTopic, 1);
  cluster.Down();
  Producer producer(cluster.settings(), {});
  SendSome(&producer, 20);
  producer.Stop(milliseconds(0));
  EXPECT_EQ(reports_.size(), 20u);
  EXPECT_EQ(reports_.Count(Report::Kind::kAcknowledged), 0u);
  EXPECT_EQ(producer.queued(), 0);
}

TEST_F(KafkaProducer, WithoutAHandleItIsAwayAndSaysWhy) {
  Settings settings;
  settings.bootstrap_servers = "127.0.0.1:1";
  settings.properties["ssl.ca.location"] = "/nowhere";
  settings.properties["security.protocol"] = "ssl";
  Producer producer(settings, {});
  std::string why;
  EXPECT_TRUE(producer.away(&why));
  EXPECT_NE(why.find("ssl.ca.location"), std::string::npos) << why;
  EXPECT_EQ(producer.Send(Make("x"), reports_.For("x")), Producer::Sent::kUnavailable);
}

}  // namespace
}  // namespace auren::kafka
