// The group committer's promises, with a database that fails on command.
#include "ingest/committer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>

namespace auren::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What all writers' databases share: the store, and the faults to come.
class World {
 public:
  // Errors for the next transactions, by order.
  std::deque<std::string> faults;
  // A delivery whose id is here makes the server raise its SQLSTATE.
  std::map<std::string, std::string> poison;
  bool down = false;         // every transaction fails with 08006
  bool lose_answer = false;  // the next transaction commits, then the connection breaks
  std::set<std::string> stored;
  std::vector<std::size_t> batches;  // sizes, in order, without probes
  int disconnects = 0;
  int transactions = 0;

  // While closed, a transaction waits at the gate: so a test decides what is queued behind it.
  void CloseGate() {
    const std::lock_guard lock(mutex);
    gate_open_ = false;
  }
  void OpenGate() {
    const std::lock_guard lock(mutex);
    gate_open_ = true;
    changed.notify_all();
  }
  void AwaitTransactions(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return transactions >= count; });
  }

  BatchResult Ingest(const std::vector<const Delivery*>& deliveries) {
    std::unique_lock lock(mutex);
    ++transactions;
    changed.notify_all();
    changed.wait(lock, [&] { return gate_open_; });
    if (!deliveries.empty()) batches.push_back(deliveries.size());
    if (down) return {{}, "08006", "server closed the connection"};
    if (!faults.empty()) {
      const std::string fault = faults.front();
      faults.pop_front();
      if (!fault.empty()) return {{}, fault, "as asked"};
    }
    for (const Delivery* delivery : deliveries) {
      if (const auto it = poison.find(delivery->delivery_id); it != poison.end()) {
        return {{}, it->second, "poisoned"};
      }
    }
    BatchResult result;
    for (const Delivery* delivery : deliveries) {
      Outcome outcome;
      outcome.status = stored.insert(delivery->delivery_id).second ? "applied" : "duplicate";
      result.outcomes.push_back(outcome);
    }
    if (lose_answer) {
      lose_answer = false;
      return {{}, "08007", "connection lost during COMMIT"};
    }
    return result;
  }

  std::mutex mutex;
  std::condition_variable changed;

 private:
  bool gate_open_ = true;
};

class FakeDatabase : public Database {
 public:
  explicit FakeDatabase(World* world) : world_(world) {}
  BatchResult Ingest(const std::vector<const Delivery*>& deliveries) override {
    return world_->Ingest(deliveries);
  }
  void Disconnect() override {
    const std::lock_guard lock(world_->mutex);
    ++world_->disconnects;
  }

 private:
  World* world_;
};

Delivery Make(const std::string& id) {
  Delivery delivery;
  delivery.source = "healthkit";
  delivery.delivery_id = id;
  delivery.user_id = "u";
  delivery.readings.resize(1);
  return delivery;
}

Committer::Clock::time_point In(milliseconds time) { return Committer::Clock::now() + time; }

class CommitterTest : public testing::Test {
 protected:
  CommitterTest() {
    options_.writers = 1;
    options_.backoff_first = milliseconds(1);
    options_.backoff_most = milliseconds(4);
  }

  void Start() {
    committer_ = std::make_unique<Committer>(
        options_, [this] { return std::make_unique<FakeDatabase>(&world_); }, observer_);
  }
  std::future<Answer> SubmitAsync(const std::string& id, milliseconds patience = seconds(30)) {
    return std::async(std::launch::async, [this, id, patience] {
      return committer_->Submit({Make(id)}, In(patience));
    });
  }
  void AwaitQueued(std::int64_t count) {
    while (committer_->queued_deliveries() < count) std::this_thread::yield();
  }

  Committer::Options options_;
  Committer::Observer observer_;
  World world_;
  std::unique_ptr<Committer> committer_;  // last: its writers use the world
};

TEST_F(CommitterTest, AnswersAfterCommitInOrder) {
  Start();
  const Answer answer = committer_->Submit({Make("a"), Make("b"), Make("a")}, In(seconds(30)));
  ASSERT_EQ(answer.kind, Answer::Kind::kDone);
  ASSERT_EQ(answer.outcomes.size(), 3u);
  EXPECT_EQ(answer.outcomes[0].status, "applied");
  EXPECT_EQ(answer.outcomes[1].status, "applied");
  EXPECT_EQ(answer.outcomes[2].status, "duplicate");
}

TEST_F(CommitterTest, NothingSubmittedIsDoneAtOnce) {
  Start();
  EXPECT_EQ(committer_->Submit({}, In(seconds(30))).kind, Answer::Kind::kDone);
}

TEST_F(CommitterTest, WhatWaitsBehindACommitFormsOneGroup) {
  world_.CloseGate();
  Start();
  std::vector<std::future<Answer>> answers;
  answers.push_back(SubmitAsync("first"));
  world_.AwaitTransactions(1);
  for (int i = 0; i < 20; ++i) answers.push_back(SubmitAsync("d" + std::to_string(i)));
  AwaitQueued(21);
  world_.OpenGate();
  for (auto& answer : answers) EXPECT_EQ(answer.get().kind, Answer::Kind::kDone);
  EXPECT_EQ(world_.batches, (std::vector<std::size_t>{1, 20}));
}

TEST_F(CommitterTest, AGroupIsBoundedInDeliveriesAndInBytes) {
  options_.batch_deliveries = 3;
  world_.CloseGate();
  Start();
  auto first = SubmitAsync("first");
  world_.AwaitTransactions(1);
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 7; ++i) answers.push_back(SubmitAsync("d" + std::to_string(i)));
  AwaitQueued(8);
  world_.OpenGate();
  first.get();
  for (auto& answer : answers) answer.get();
  EXPECT_EQ(world_.batches, (std::vector<std::size_t>{1, 3, 3, 1}));
}

TEST_F(CommitterTest, ARequestLargerThanABatchIsSentInParts) {
  options_.batch_deliveries = 4;
  Start();
  std::vector<Delivery> many;
  for (int i = 0; i < 10; ++i) many.push_back(Make(std::to_string(i)));
  const Answer answer = committer_->Submit(many, In(seconds(30)));
  EXPECT_EQ(answer.outcomes.size(), 10u);
  EXPECT_EQ(world_.batches, (std::vector<std::size_t>{4, 4, 2}));
}

TEST_F(CommitterTest, AFullQueueRefusesAtOnceAndTakesAgainLater) {
  options_.max_deliveries = 2;
  world_.CloseGate();
  Start();
  auto first = SubmitAsync("a");
  auto second = SubmitAsync("b");
  AwaitQueued(2);
  EXPECT_EQ(committer_->Submit({Make("c")}, In(seconds(30))).kind, Answer::Kind::kQueueFull);
  world_.OpenGate();
  first.get();
  second.get();
  EXPECT_EQ(committer_->Submit({Make("c")}, In(seconds(30))).kind, Answer::Kind::kDone);
}

TEST_F(CommitterTest, TheQueueIsBoundedInBytesButOneLargeRequestAloneIsLetIn) {
  options_.max_bytes = 100;
  world_.CloseGate();
  Start();
  auto large = SubmitAsync(std::string(1000, 'x'));
  AwaitQueued(1);
  EXPECT_EQ(committer_->Submit({Make("c")}, In(seconds(30))).kind, Answer::Kind::kQueueFull);
  world_.OpenGate();
  EXPECT_EQ(large.get().kind, Answer::Kind::kDone);
}

TEST_F(CommitterTest, WhoseDeadlinePassesInTheQueueIsNeverSent) {
  world_.CloseGate();
  Start();
  auto first = SubmitAsync("first");
  world_.AwaitTransactions(1);
  EXPECT_EQ(committer_->Submit({Make("late")}, In(milliseconds(5))).kind, Answer::Kind::kDeadline);
  EXPECT_EQ(committer_->queued_deliveries(), 1);
  world_.OpenGate();
  EXPECT_EQ(first.get().kind, Answer::Kind::kDone);
  committer_->Stop();
  EXPECT_EQ(world_.stored, std::set<std::string>{"first"});
}

TEST_F(CommitterTest, ASlowCommitIsAnsweredByTheDeadline) {
  world_.CloseGate();
  Start();
  EXPECT_EQ(committer_->Submit({Make("a")}, In(milliseconds(5))).kind, Answer::Kind::kDeadline);
  world_.OpenGate();
  // The same id again: whatever became of the first, it is there once.
  EXPECT_EQ(committer_->Submit({Make("a")}, In(seconds(30))).kind, Answer::Kind::kDone);
  EXPECT_EQ(world_.stored.size(), 1u);
}

TEST_F(CommitterTest, PoisonCostsOnlyItself) {
  world_.poison = {{"3", "22P02"}, {"8", "UA002"}};
  Start();
  std::vector<Delivery> many;
  for (int i = 0; i < 16; ++i) many.push_back(Make(std::to_string(i)));
  const Answer answer = committer_->Submit(many, In(seconds(30)));
  ASSERT_EQ(answer.kind, Answer::Kind::kDone);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(answer.outcomes[i].status, i == 3 || i == 8 ? "rejected" : "applied") << i;
  }
  EXPECT_EQ(answer.outcomes[3].problem, R"({"code":"sql_error","sqlstate":"22P02"})");
  EXPECT_EQ(answer.outcomes[8].problem, R"({"code":"event_id_conflict","sqlstate":"UA002"})");
  EXPECT_EQ(answer.outcomes[3].readings_rejected, 1);
  EXPECT_EQ(world_.stored.size(), 14u);
  EXPECT_EQ(committer_->health().breaker, Committer::Breaker::kClosed);
}

TEST_F(CommitterTest, LostRacesAreSentAgain) {
  world_.faults = {"40001", "40P01", "55P03", "23505"};
  Start();
  EXPECT_EQ(committer_->Submit({Make("a")}, In(seconds(30))).outcomes.at(0).status, "applied");
  EXPECT_EQ(world_.disconnects, 0);
  EXPECT_EQ(world_.batches.size(), 5u);
}

TEST_F(CommitterTest, AUniqueViolationThatStaysIsPoison) {
  world_.poison = {{"a", "23505"}};
  Start();
  EXPECT_EQ(committer_->Submit({Make("a")}, In(seconds(30))).outcomes.at(0).status, "rejected");
}

TEST_F(CommitterTest, ALostConnectionIsMadeAgain) {
  world_.faults = {"08006", "57P01", "25006"};
  Start();
  EXPECT_EQ(committer_->Submit({Make("a")}, In(seconds(30))).outcomes.at(0).status, "applied");
  EXPECT_EQ(world_.disconnects, 3);
}

TEST_F(CommitterTest, AnUnknownCommitIsSentAgainAndIsADuplicate) {
  world_.lose_answer = true;
  Start();
  EXPECT_EQ(committer_->Submit({Make("a")}, In(seconds(30))).outcomes.at(0).status, "duplicate");
  EXPECT_EQ(world_.stored.size(), 1u);
}

TEST_F(CommitterTest, AStatementTimeoutHalvesTheBatch) {
  world_.faults = {"57014"};
  Start();
  const Answer answer = committer_->Submit({Make("a"), Make("b")}, In(seconds(30)));
  EXPECT_EQ(answer.kind, Answer::Kind::kDone);
  EXPECT_EQ(world_.batches, (std::vector<std::size_t>{2, 1, 1}));
}

TEST_F(CommitterTest, ADeadServerIsUnavailableUntilItIsBack) {
  world_.down = true;
  Start();
  EXPECT_EQ(committer_->Submit({Make("a")}, In(milliseconds(100))).kind,
            Answer::Kind::kUnavailable);
  while (committer_->health().breaker != Committer::Breaker::kOpen) std::this_thread::yield();
  // With the breaker open nobody waits in vain: this deadline is far away.
  EXPECT_EQ(committer_->Submit({Make("b")}, In(std::chrono::hours(1))).kind,
            Answer::Kind::kUnavailable);
  EXPECT_EQ(committer_->health().sqlstate, "08006");
  {
    const std::lock_guard lock(world_.mutex);
    world_.down = false;
  }
  while (committer_->health().breaker != Committer::Breaker::kClosed) std::this_thread::yield();
  EXPECT_EQ(committer_->Submit({Make("a")}, In(seconds(30))).kind, Answer::Kind::kDone);
}

TEST_F(CommitterTest, ADeploymentFaultStopsTheLineAndAProbeOpensIt) {
  options_.backoff_first = options_.backoff_most = milliseconds(50);
  world_.faults = {"42883", "42883"};
  Start();
  EXPECT_EQ(committer_->Submit({Make("a")}, In(std::chrono::hours(1))).kind,
            Answer::Kind::kUnavailable);
  EXPECT_TRUE(world_.stored.empty());
  while (committer_->health().stopped) std::this_thread::yield();
  EXPECT_EQ(committer_->Submit({Make("a")}, In(seconds(30))).kind, Answer::Kind::kDone);
}

TEST_F(CommitterTest, StopAnswersAllThatWasAccepted) {
  world_.CloseGate();
  Start();
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(SubmitAsync(std::to_string(i)));
  AwaitQueued(10);
  auto stopped = std::async(std::launch::async, [this] { committer_->Stop(); });
  world_.OpenGate();
  stopped.get();
  for (auto& answer : answers) EXPECT_EQ(answer.get().kind, Answer::Kind::kDone);
  EXPECT_EQ(world_.stored.size(), 10u);
  EXPECT_EQ(committer_->Submit({Make("x")}, In(seconds(30))).kind, Answer::Kind::kUnavailable);
}

TEST_F(CommitterTest, StopEndsWithTheServerAway) {
  world_.down = true;
  Start();
  auto answer = SubmitAsync("a", milliseconds(50));
  AwaitQueued(1);
  committer_->Stop();
  EXPECT_EQ(answer.get().kind, Answer::Kind::kUnavailable);
}

TEST_F(CommitterTest, ManyWritersStoreEachDeliveryOnce) {
  options_.writers = 4;
  options_.max_deliveries = 100000;
  std::atomic<int> outcomes{0};
  observer_.outcome = [&](const Delivery&, const Outcome&) { ++outcomes; };
  for (int i = 0; i < 40; ++i) world_.faults.push_back(i % 3 == 0 ? "40001" : "");
  Start();
  std::vector<std::future<int>> clients;
  for (int c = 0; c < 8; ++c) {
    clients.push_back(std::async(std::launch::async, [this, c] {
      int done = 0;
      for (int i = 0; i < 50; ++i) {
        const std::string id = std::to_string(c) + "-" + std::to_string(i);
        const Answer answer = committer_->Submit({Make(id)}, In(seconds(60)));
        done += answer.kind == Answer::Kind::kDone ? 1 : 0;
      }
      return done;
    }));
  }
  for (auto& client : clients) EXPECT_EQ(client.get(), 50);
  EXPECT_EQ(world_.stored.size(), 400u);
  EXPECT_EQ(outcomes.load(), 400);
}

}  // namespace
}  // namespace auren::ingest
