#include "kafka/settler.h"

#include <algorithm>
#include <random>
#include <utility>

#include "ops/log.h"
#include "postgres/sqlstate.h"

namespace auren::kafka {
namespace {

using postgres::Action;
using std::chrono::milliseconds;

bool Contains(const std::vector<std::int32_t>& list, std::int32_t partition) {
  return std::find(list.begin(), list.end(), partition) != list.end();
}

std::vector<std::int32_t> PartitionsOf(const Batch& batch) {
  std::vector<std::int32_t> partitions;
  for (const auto& [partition, reach] : ReachOf(batch)) partitions.push_back(partition);
  return partitions;
}

}  // namespace

bool Settler::Settle(Batch batch, Verdict verdict, Positions* positions) {
  Parts parts;
  parts.push_back({std::move(batch)});
  while (Handle(verdict, &parts, positions)) {
    std::erase_if(parts, [](const Part& part) { return part.batch.empty(); });
    if (parts.empty()) return true;
    verdict = Try(parts.back(), positions);
  }
  return false;
}

Verdict Settler::Try(const Part& part, Positions* positions) {
  if (part.careful) return transaction_->Careful(part.batch, positions);
  transaction_->Begin(&part.batch, positions);
  return *transaction_->Poll(-1);
}

bool Settler::Handle(const Verdict& verdict, Parts* parts, Positions* positions) {
  const Batch& batch = parts->back().batch;
  switch (verdict.kind) {
    case Verdict::Kind::kCommitted:
      for (const auto& [partition, reach] : verdict.reaches) {
        positions->at(partition).next_offset = reach.next;
      }
      failures_ = races_ = 0;
      health_ = {};
      // Grown slowly, halved at once.
      limit_ = std::min(options_.batch_records, limit_ + std::max<std::size_t>(1, limit_ / 16));
      events_.committed(batch, verdict);
      parts->pop_back();
      return true;
    case Verdict::Kind::kFenced:
      return ReadBack(parts, positions);
    case Verdict::Kind::kFuse:
      Drop(verdict.partitions, parts);
      for (std::size_t i = 0; i < verdict.partitions.size(); ++i) {
        events_.fuse_blown(verdict.partitions[i], verdict.reasons[i]);
      }
      return true;
    case Verdict::Kind::kFailed:
      return HandleFailure(verdict, parts, positions);
  }
  return false;
}

bool Settler::HandleFailure(const Verdict& verdict, Parts* parts, Positions* positions) {
  const std::size_t size = parts->back().batch.size();
  Action action = postgres::Classify(verdict.error.sqlstate);
  if (action == Action::kRace && ++races_ >= 3) action = Action::kPoison;
  switch (action) {
    case Action::kReconnect:
    case Action::kUnknownCommit:
      connection_->Disconnect();
      Note(verdict.error, false);
      if (!Wait(false)) return false;
      return ReadBack(parts, positions);
    case Action::kRetry:
    case Action::kRace:
      return Wait(false);
    case Action::kBackOff:
      Note(verdict.error, false);
      return Wait(false);
    case Action::kHalve:
      limit_ = std::max<std::size_t>(1, std::min(limit_, size) / 2);
      Split(std::max<std::size_t>(1, size / 2), /*careful=*/size == 1, parts);
      return Wait(false);
    case Action::kPoison:
      if (!parts->back().careful) {
        Split(Transaction::kCareful, /*careful=*/true, parts);
        return true;
      }
      // What is no record's own fault, as a lost race that is lost each time, is one's after all
      // when it is alone.
      if (size > 1) {
        Split(size / 2, /*careful=*/true, parts);
        return true;
      }
      break;  // and it is not the record: its dead letter is refused
    case Action::kStop:
      break;
  }
  connection_->Disconnect();  // a plan or a function that is gone: start afresh
  Note(verdict.error, true);
  return Wait(true);
}

bool Settler::ReadBack(Parts* parts, Positions* positions) {
  std::vector<std::int32_t> partitions = PartitionsOf(parts->back().batch);
  StoredRows rows;
  while (const auto error = offsets_->Read(partitions, &rows)) {
    const bool stop = postgres::Classify(error->sqlstate) == Action::kStop;
    if (!connection_->connected() || stop) connection_->Disconnect();
    Note(*error, stop);
    if (!Wait(stop)) return false;
  }
  const auto reaches = ReachOf(parts->back().batch);
  std::vector<std::int32_t> lost, rewound;
  bool committed = false;
  for (const std::int32_t partition : partitions) {
    Position& position = positions->at(partition);
    const auto row = rows.find(partition);
    if (row != rows.end() && row->second.epoch > position.epoch) {
      lost.push_back(partition);
      continue;
    }
    const bool ours = row != rows.end() && row->second.epoch == position.epoch;
    if (ours && row->second.next_offset == reaches.at(partition).next) {
      position.next_offset = row->second.next_offset;
      committed = true;
    } else if (!ours || row->second.next_offset != position.next_offset) {
      rewound.push_back(partition);  // gone back, or moved by hand
    }
  }
  if (committed) {
    // One transaction moved all of its partitions, so all of the part is in the store.
    ops::log::Info("consumer", "the commit that was not answered had happened",
                   {{"records", static_cast<std::int64_t>(parts->back().batch.size())}});
    failures_ = 0;
    health_ = {};
    parts->pop_back();
  }
  Drop(lost, parts);
  Drop(rewound, parts);
  if (!lost.empty()) events_.lost(lost);
  if (!rewound.empty()) events_.rewound(rewound);
  return true;
}

void Settler::Drop(const std::vector<std::int32_t>& partitions, Parts* parts) {
  for (Part& part : *parts) {
    std::erase_if(part.batch,
                  [&](const Item& item) { return Contains(partitions, item.record.partition); });
  }
}

void Settler::Split(std::size_t most, bool careful, Parts* parts) {
  Part whole = std::move(parts->back());
  parts->pop_back();
  std::vector<Part> slices;
  for (Item& item : whole.batch) {
    if (slices.empty() || slices.back().batch.size() == most) {
      slices.push_back({{}, careful || whole.careful});
    }
    slices.back().batch.push_back(std::move(item));
  }
  std::move(slices.rbegin(), slices.rend(), std::back_inserter(*parts));
}

void Settler::Note(const postgres::Error& error, bool stopped) {
  ++failures_;
  const bool open = stopped || failures_ >= options_.breaker_failures;
  if (failures_ == 1 || stopped != health_.stopped || open != health_.breaker_open) {
    ops::log::Warn("consumer",
                   stopped ? "stopped: an administrator must act" : "PostgreSQL did not take it",
                   {{"sqlstate", error.sqlstate}, {"error", error.message}});
  }
  health_ = {open, stopped, error.sqlstate, error.message};
}

bool Settler::Wait(bool stopped) {
  thread_local std::minstd_rand random{std::random_device{}()};
  milliseconds most =
      std::min(options_.backoff_most, options_.backoff_first * (1 << std::min(failures_, 10)));
  if (stopped) most = options_.backoff_stopped;
  return events_.wait(milliseconds(
      std::uniform_int_distribution<std::int64_t>(most.count() / 2, most.count())(random)));
}

}  // namespace auren::kafka
