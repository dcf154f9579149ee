// One batch, one transaction of PostgreSQL: offsets, events and dead letters, all or nothing.
//
//   BEGIN; move the offsets of our epochs; bridge.ingest_batch; dead letters; COMMIT
//
// The fast way sends it in two trips and does not hold the thread in between. The careful way finds
// the records that make PostgreSQL raise an error, by halves and savepoints, and makes dead letters
// of them. Neither repeats anything: what to do about a failure is the consumer's to decide.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ingest/outcome.h"
#include "kafka/batch.h"
#include "kafka/letters.h"
#include "kafka/offsets.h"
#include "postgres/connection.h"

namespace auren::kafka {

struct Verdict {
  enum class Kind {
    kCommitted,  // `outcomes` holds one for each record
    kFenced,     // `partitions` are another owner's now; nothing was done
    kFuse,       // the fuses of `partitions` blew; nothing was done
    kFailed,     // by `error`; nothing was done, unless `unknown`
  };
  Kind kind = Kind::kFailed;
  std::vector<ingest::Outcome> outcomes;
  // With kCommitted: why a record became a dead letter, or empty. With kFuse: what each of
  // `partitions` refused when its fuse blew, in words.
  std::vector<std::string> reasons;
  std::map<std::int32_t, Reach> reaches;  // with kCommitted: how far it brought its partitions
  std::vector<std::int32_t> partitions;
  postgres::Error error;
  bool unknown = false;  // COMMIT was sent and never answered: the offsets tell
};

class Transaction {
 public:
  // Most records for Careful: it may need a savepoint for each and a few more, and PostgreSQL keeps
  // 64 of a transaction at hand.
  static constexpr std::size_t kCareful = 32;

  // Borrows both.
  Transaction(postgres::Connection* connection, Offsets* offsets)
      : connection_(connection), offsets_(offsets) {}

  // The fast way. REQUIRES: not active, `batch` not empty; both stay until the verdict, and each
  // partition of the batch has its position. The fuses of `positions` move with the commit.
  void Begin(const Batch* batch, Positions* positions);
  bool active() const { return batch_ != nullptr; }
  // Goes on as far as that is possible without waiting longer than `timeout_ms` (-1: to the end).
  std::optional<Verdict> Poll(int timeout_ms);

  // The careful way, to its end. REQUIRES: not active; at most kCareful records.
  Verdict Careful(const Batch& batch, Positions* positions);

 private:
  enum class Stage { kIngesting, kCommitting };

  // Whose data it is, and which records PostgreSQL is asked about at all.
  std::optional<postgres::Error> Prepare(const Batch& batch);
  std::optional<Verdict> CheckFence(const postgres::Result& moved) const;
  std::optional<Verdict> CheckFuses(const Batch& batch, const Positions& positions);
  void MakeLetters(const Batch& batch);
  // Stores [begin, end) of sent_, or finds what is wrong with it.
  std::optional<postgres::Error> Store(std::size_t begin, std::size_t end);
  std::optional<postgres::Error> Bisect(std::size_t begin, std::size_t end);
  void Refuse(std::size_t index, const postgres::Error& error);

  Verdict Ended(Verdict verdict);
  Verdict Failed(const postgres::Error& error, bool unknown = false);
  Verdict Committed();

  postgres::Connection* connection_;
  Offsets* offsets_;

  const Batch* batch_ = nullptr;
  std::optional<postgres::Error> begin_error_;  // told by the next Poll
  Positions* positions_ = nullptr;
  Stage stage_ = Stage::kIngesting;
  std::map<std::int32_t, Reach> reaches_;  // the partitions whose rows are to move
  std::vector<std::size_t> sent_;          // records that ingest_batch gets, by their index
  std::vector<std::string> resolved_;      // of all records: the JSON where the user is another
  std::vector<std::string_view> texts_;    // of those sent: their JSON
  std::vector<ingest::Outcome> outcomes_;  // of all records
  std::vector<Refusal> letters_;
  std::map<std::int32_t, Fuse> fuses_;  // what they will be
};

}  // namespace auren::kafka
