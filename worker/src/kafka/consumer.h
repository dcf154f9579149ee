// One consumer: a thread, a member of the group, a connection to PostgreSQL.
//
// While PostgreSQL works on one batch the next is polled and decoded; never more than that. The
// offset of a partition lives in PostgreSQL alone: on assignment the consumer takes the row over
// and seeks to what it says; Kafka is told afterwards, for tools that show lag.
//
// A partition stops, with its offset unmoved, when its fuse blows, when retention has deleted what
// was not taken in yet, and when the topic is another one than was read. The rest go on.
//
// While PostgreSQL is away nothing is polled: the topic is the buffer. A rebalance of the group
// then waits for it too.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kafka/client.h"
#include "kafka/offsets.h"
#include "kafka/second_look.h"
#include "kafka/settler.h"
#include "kafka/transaction.h"
#include "postgres/connection.h"

namespace auren::kafka {

struct ConsumerOptions {
  std::string postgres_url;
  std::string topic, group_id;
  std::string instance_id;  // the static member is <instance_id>-<n>
  std::int64_t batch_bytes = 4 << 20;
  Settler::Options settling;
};

// What happens inside, for metrics. Called from the consumer's thread; must not block.
struct ConsumerObserver {
  std::function<void(std::size_t records)> batch;  // sent as one transaction
  std::function<void(double seconds)> committed;   // from BEGIN to COMMIT
  // What was committed. `reason`: of its dead letter, or empty.
  std::function<void(const Item&, const ingest::Outcome&, const std::string& reason)> outcome;
  std::function<void(std::int32_t partition, std::int64_t records)> lag;  // 0 once it is not ours
  std::function<void(std::size_t partitions)> fenced;
  std::function<void()> beat;  // it makes progress, or waits for what it knows
};

class Consumer {
 public:
  struct Stopped {
    std::int32_t partition = 0;
    std::string reason, detail;
  };
  struct Health {
    std::string broker_error;  // why there is no working member of the group; empty: there is
    Settler::Health postgres;
    std::vector<Stopped> stopped;
    std::size_t partitions = 0;  // owned and not stopped
  };

  Consumer(Settings settings, ConsumerOptions options, int number, ConsumerObserver observer);
  ~Consumer();  // Stop()
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Lets the transaction under way end, forgets what was only polled, leaves. Idempotent.
  void Stop();
  Health health() const;

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  bool Open();
  void Close();
  void Leave();
  bool PollOne(int timeout_ms);  // false: nothing came
  void Take(const rd_kafka_message_t& message);
  void TakeError(const rd_kafka_message_t& message);
  bool Full() const;
  void Begin();
  void Finish(Verdict verdict);
  void Tick();  // once a second: lag, offsets to Kafka, stopped partitions

  static void Rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t event,
                        rd_kafka_topic_partition_list_t* partitions, void* opaque);
  void Assign(rd_kafka_topic_partition_list_t* partitions);
  void Revoke(const rd_kafka_topic_partition_list_t& partitions);
  bool TakeOver(std::vector<std::int32_t> partitions);
  void Fetch(const std::vector<std::int32_t>& partitions);
  void Forget(std::int32_t partition);
  void StopPartition(std::int32_t partition, const std::string& reason, const std::string& detail);
  void LookAgain();  // at what is stopped, lost or to be taken over anew
  void LookBack();   // at a record of each partition that was read some time ago
  bool StillThere(std::int32_t partition, const SecondLook::Seen& seen);
  void Lost(const std::vector<std::int32_t>& partitions);

  void Committed(const Batch& batch, const Verdict& verdict);
  void TellKafka();
  bool Wait(std::chrono::milliseconds time);
  void Publish(const std::string& broker_error = "");
  bool cooperative() const;

  const Settings settings_;
  const ConsumerOptions options_;
  const std::string name_;  // consumer-<n>
  const ConsumerObserver observer_;

  postgres::Connection connection_;
  Offsets offsets_;
  Transaction transaction_;
  SecondLook second_look_;
  Settler settler_;
  Handle handle_;
  bool subscribed_ = false, fatal_ = false;

  struct Halt {
    Stopped why;
    std::int64_t epoch = 0;
    bool noted = false;  // in the offset's row
  };

  // A record that was read, which proves when seen again that all read before that look came from
  // the same log; then `asked` takes its place, which is the newest there was when it was asked.
  struct Anchors {
    Anchor kept, asked, newest;
  };

  Positions positions_;                             // owned, and neither stopped nor lost
  std::map<std::int32_t, Halt> stopped_;            // owned, stopped
  std::map<std::int32_t, Clock::time_point> lost_;  // fenced, and not revoked yet
  std::map<std::int32_t, std::string> expected_;    // digest of the record before the first
  std::map<std::int32_t, Anchors> anchors_;
  std::vector<std::int32_t> again_;              // to be taken over anew
  std::map<std::int32_t, std::int64_t> untold_;  // offsets that Kafka has not been told
  Batch flying_, next_;
  std::int64_t next_bytes_ = 0;
  Clock::time_point began_{}, ticked_{}, looked_back_{};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  Health health_;
  std::thread thread_;
};

}  // namespace auren::kafka
