// Who has been silent for too long; time is a parameter.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "ingest/committer.h"
#include "ops/progress.h"

namespace auren::ops {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Clock = Progress::Clock;

TEST(Progress, NamesTheThreadThatIsSilent) {
  Progress progress;
  EXPECT_EQ(progress.Silent(Clock::now() + hours(1)), "");
  Beat quick = progress.Add("quick", seconds(5));
  Beat slow = progress.Add("slow", seconds(60));
  EXPECT_EQ(progress.Silent(), "");
  EXPECT_EQ(progress.Silent(Clock::now() + seconds(4)), "");
  EXPECT_EQ(progress.Silent(Clock::now() + seconds(6)), "quick");
  EXPECT_EQ(progress.Silent(Clock::now() + seconds(90)), "quick") << "the longest";
  quick.Wait();
  EXPECT_EQ(progress.Silent(Clock::now() + seconds(59)), "");
  EXPECT_EQ(progress.Silent(Clock::now() + seconds(90)), "slow");
}

TEST(Progress, WaitingMayTakeAnyTimeAndThenCountsAgain) {
  Progress progress;
  Beat beat = progress.Add("waits", seconds(5));
  {
    const Pause pause(&beat);
    EXPECT_EQ(progress.Silent(Clock::now() + hours(1000)), "");
  }
  EXPECT_EQ(progress.Silent(Clock::now() + seconds(4)), "");
  EXPECT_EQ(progress.Silent(Clock::now() + seconds(6)), "waits");
}

TEST(Progress, AnEndedThreadIsNotSilent) {
  Progress progress;
  { const Beat beat = progress.Add("gone", seconds(5)); }
  EXPECT_EQ(progress.Silent(Clock::now() + hours(1)), "");
  Beat first = progress.Add("moved", seconds(5));
  {
    const Beat second = std::move(first);
    EXPECT_EQ(progress.Silent(Clock::now() + hours(1)), "moved");
  }
  EXPECT_EQ(progress.Silent(Clock::now() + hours(1)), "");
}

TEST(Progress, ABeatOfNobodyDoesNothing) {
  Beat beat;
  beat.Tick();
  const Pause pause(&beat);
}

// A database that does what it is told, in the writer's thread.
class Told : public ingest::Database {
 public:
  explicit Told(std::function<void()> told) : told_(std::move(told)) {}
  ingest::BatchResult Ingest(const std::vector<const ingest::Delivery*>& deliveries) override {
    told_();
    ingest::Outcome outcome;
    outcome.status = "applied";
    return {std::vector(deliveries.size(), outcome), "", ""};
  }
  void Disconnect() override {}

 private:
  std::function<void()> told_;
};

ingest::Delivery Delivery() {
  ingest::Delivery delivery;
  delivery.source = "healthkit";
  delivery.delivery_id = "d";
  return delivery;
}

TEST(Progress, AWriterMayWaitForWorkAndForPostgresqlButNotHang) {
  Progress progress;
  const auto silent = [&] { return progress.Silent(Clock::now() + hours(1)); };
  std::atomic<bool> hang{true}, hangs{false};
  std::string while_ingesting = "not asked";
  ingest::Committer::Options options;
  options.writers = 1;
  ingest::Committer::Observer observer;
  // Called by the writer between its waits: here it hangs.
  observer.outcome = [&](const ingest::Delivery&, const ingest::Outcome&) {
    hangs = true;
    while (hang) std::this_thread::yield();
  };
  ingest::Committer committer(
      options, [&] { return std::make_unique<Told>([&] { while_ingesting = silent(); }); },
      observer, &progress);
  while (silent() == "writer-0") std::this_thread::yield();
  std::thread requester([&] { committer.Submit({Delivery()}, Clock::now() + hours(1)); });
  while (!hangs) std::this_thread::yield();
  EXPECT_EQ(silent(), "writer-0");
  EXPECT_EQ(while_ingesting, "");
  hang = false;
  requester.join();
  while (silent() == "writer-0") std::this_thread::yield();
  committer.Stop();
  EXPECT_EQ(silent(), "");
}

}  // namespace
}  // namespace auren::ops
