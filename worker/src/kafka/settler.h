// What becomes of a batch when PostgreSQL does not simply take it: the consumer's answer to each
// class of SQLSTATE (postgres/sqlstate.h), to being fenced, and to a database that has gone back.
//
//   reconnect, unknown commit   connect again; the offset row tells what was committed
//   retry, race                 again, at once
//   halve                       in halves; the next batches are smaller too
//   back off                    again, slowly
//   poison                      in small parts by the careful way: the record becomes a dead letter
//   stop                        again, rarely, and nothing is drained: somebody has to act
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "kafka/transaction.h"

namespace auren::kafka {

class Settler {
 public:
  struct Options {
    std::chrono::milliseconds backoff_first{50}, backoff_most{2000}, backoff_stopped{10'000};
    int breaker_failures = 5;  // in a row
    std::size_t batch_records = 512;
  };

  struct Events {
    std::function<void(const Batch&, const Verdict&)> committed;
    std::function<void(const std::vector<std::int32_t>&)> lost;  // fenced: another owns them now
    // The row is not where we left it and nobody took it over: the database has gone back.
    std::function<void(const std::vector<std::int32_t>&)> rewound;
    // `refusal`: what blew it, in words.
    std::function<void(std::int32_t, const std::string& refusal)> fuse_blown;
    // Waits at most so long; false: we are stopping.
    std::function<bool(std::chrono::milliseconds)> wait;
  };

  struct Health {
    bool breaker_open = false;      // PostgreSQL is away, or refuses for want of something
    bool stopped = false;           // a deployment's fault
    std::string sqlstate, message;  // of the last failure
  };

  // Borrows all three.
  Settler(postgres::Connection* connection, Offsets* offsets, Transaction* transaction,
          Options options, Events events)
      : connection_(connection),
        offsets_(offsets),
        transaction_(transaction),
        options_(options),
        events_(std::move(events)),
        limit_(options.batch_records) {}

  // From the fast way's verdict to the end: each record of the batch is committed, or its partition
  // was lost, rewound or stopped. False: we are stopping, and some of it is neither; then nothing
  // that was polled after it may be taken in. Blocks.
  bool Settle(Batch batch, Verdict verdict, Positions* positions);

  // How many records the next batch may have.
  std::size_t limit() const { return limit_; }
  const Health& health() const { return health_; }

 private:
  struct Part {
    Batch batch;
    bool careful = false;
  };
  using Parts = std::vector<Part>;  // the next one last

  Verdict Try(const Part& part, Positions* positions);
  // False: we are stopping.
  bool Handle(const Verdict& verdict, Parts* parts, Positions* positions);
  bool HandleFailure(const Verdict& verdict, Parts* parts, Positions* positions);
  // What the rows say of partitions whose fate is not known: their records committed, lost,
  // rewound.
  bool ReadBack(Parts* parts, Positions* positions);
  static void Drop(const std::vector<std::int32_t>& partitions, Parts* parts);
  static void Split(std::size_t most, bool careful, Parts* parts);
  void Note(const postgres::Error& error, bool stopped);
  bool Wait(bool stopped);

  postgres::Connection* connection_;
  Offsets* offsets_;
  Transaction* transaction_;
  const Options options_;
  const Events events_;
  std::size_t limit_;
  int failures_ = 0;  // in a row
  int races_ = 0;
  Health health_;
};

}  // namespace auren::kafka
