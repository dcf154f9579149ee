#include "kafka/transaction.h"

#include <algorithm>
#include <utility>

#include "ingest/ingest_batch.h"
#include "ingest/json_text.h"
#include "postgres/sqlstate.h"

namespace auren::kafka {
namespace {

using ingest::Outcome;
using postgres::Error;
using postgres::Result;
using postgres::Statement;

constexpr char kRejected[] = "rejected";

Outcome Rejected(const std::string& code, const std::string& detail, const std::string& sqlstate) {
  Outcome outcome;
  outcome.status = kRejected;
  outcome.problem = R"({"code":")" + code + R"(","detail":)";
  ingest::AppendJsonString(detail, &outcome.problem);
  if (!sqlstate.empty()) outcome.problem += R"(,"sqlstate":")" + sqlstate + "\"";
  outcome.problem += "}";
  return outcome;
}

}  // namespace

std::optional<Error> Transaction::Prepare(const Batch& batch) {
  outcomes_.assign(batch.size(), {});
  resolved_.assign(batch.size(), {});
  sent_.clear();
  texts_.clear();
  letters_.clear();
  fuses_.clear();

  std::vector<std::optional<std::string>> providers, provider_users;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Decoded& decoded = batch[i].decoded;
    if (!decoded.ok() || decoded.provider_user.empty()) continue;
    asked.push_back(i);
    providers.emplace_back(decoded.provider);
    provider_users.emplace_back(decoded.provider_user);
  }
  std::vector<std::string> linked;
  if (!asked.empty()) {
    if (auto error = ingest::ResolveUsers(connection_, providers, provider_users, &linked)) {
      return error;
    }
  }
  std::size_t next_asked = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Decoded& decoded = batch[i].decoded;
    std::string user;
    if (next_asked < asked.size() && asked[next_asked] == i) user = linked[next_asked++];
    if (!decoded.ok()) {
      outcomes_[i] = Rejected(decoded.reason, decoded.detail, "");
      continue;
    }
    // What the key's holder may write was checked against the person named, but for a link.
    const std::string& person = user.empty() ? batch[i].record.key.value_or("") : user;
    if (!decoded.bound_user.empty() && decoded.bound_user != person) {
      outcomes_[i] = Rejected("user_mismatch", "the API key is bound to another person", "");
      continue;
    }
    if (!user.empty() && IsObject(decoded.json)) {
      resolved_[i] = decoded.json;
      SetUser(user, &resolved_[i]);
    }
    sent_.push_back(i);
    texts_.emplace_back(resolved_[i].empty() ? decoded.json : resolved_[i]);
  }
  return std::nullopt;
}

void Transaction::Begin(const Batch* batch, Positions* positions) {
  batch_ = batch;
  positions_ = positions;
  stage_ = Stage::kIngesting;
  begin_error_ = Prepare(*batch);
  if (begin_error_) return;
  reaches_ = ReachOf(*batch);
  std::vector<Statement> statements = {{"BEGIN", {}}, offsets_->Advance(reaches_, *positions)};
  if (!texts_.empty()) statements.push_back(ingest::IngestBatch(texts_));
  begin_error_ = connection_->Send(statements);
}

std::optional<Verdict> Transaction::Poll(int timeout_ms) {
  if (begin_error_) return Failed(*std::exchange(begin_error_, std::nullopt));
  if (!connection_->Arrived(timeout_ms)) return std::nullopt;
  const std::vector<Result> results = connection_->Collect();
  if (stage_ == Stage::kCommitting) {
    for (const Result& result : results) {
      if (!result.ok()) return Failed(result.error(), /*unknown=*/!connection_->connected());
    }
    return Committed();
  }

  for (std::size_t i = 0; i < 2; ++i) {
    if (!results[i].ok()) return Failed(results[i].error());
  }
  if (auto verdict = CheckFence(results[1])) return Ended(std::move(*verdict));
  if (!texts_.empty()) {
    std::vector<Outcome> outcomes;
    if (const auto error = ingest::ReadOutcomes(results[2], sent_.size(), &outcomes)) {
      return Failed(*error);
    }
    for (std::size_t i = 0; i < sent_.size(); ++i) outcomes_[sent_[i]] = std::move(outcomes[i]);
  }
  // All was answered, and then the connection ended, and the transaction with it: a COMMIT would
  // go to another connection, and be agreed to there.
  if (!connection_->connected()) {
    return Failed({postgres::kConnectionFailure, "the connection ended before the commit"});
  }
  if (auto verdict = CheckFuses(*batch_, *positions_)) return Ended(std::move(*verdict));
  MakeLetters(*batch_);
  std::vector<Statement> statements;
  if (!letters_.empty()) statements.push_back(AddLetters(letters_));
  statements.push_back({"COMMIT", {}});
  if (const auto error = connection_->Send(statements)) {
    return Failed(*error, /*unknown=*/!connection_->connected());
  }
  stage_ = Stage::kCommitting;
  return timeout_ms < 0 ? Poll(timeout_ms) : std::nullopt;
}

Verdict Transaction::Careful(const Batch& batch, Positions* positions) {
  batch_ = &batch;
  positions_ = positions;
  if (const auto error = Prepare(batch)) return Failed(*error);
  reaches_ = ReachOf(batch);
  const Result begun = connection_->Execute("BEGIN");
  if (!begun.ok()) return Failed(begun.error());
  const Statement advance = offsets_->Advance(reaches_, *positions);
  const Result moved = connection_->Execute(advance.sql, advance.params);
  if (!moved.ok()) return Failed(moved.error());
  if (auto verdict = CheckFence(moved)) return Ended(std::move(*verdict));
  if (!sent_.empty()) {
    if (const auto error = Bisect(0, sent_.size())) return Failed(*error);
  }
  if (auto verdict = CheckFuses(batch, *positions)) return Ended(std::move(*verdict));
  MakeLetters(batch);
  if (!letters_.empty()) {
    const Statement add = AddLetters(letters_);
    const Result added = connection_->Execute(add.sql, add.params);
    if (!added.ok()) return Failed(added.error());
  }
  const Result committed = connection_->Execute("COMMIT");
  if (!committed.ok()) return Failed(committed.error(), /*unknown=*/!connection_->connected());
  return Committed();
}

// Left half first, so that what a person sent is taken in in its order.
std::optional<Error> Transaction::Bisect(std::size_t begin, std::size_t end) {
  const Result savepoint = connection_->Execute("SAVEPOINT part");
  if (!savepoint.ok()) return savepoint.error();
  auto failed = Store(begin, end);
  if (failed) {
    const postgres::Action action = postgres::Classify(failed->sqlstate);
    const bool alone = end - begin == 1;
    if (action != postgres::Action::kPoison &&
        !(alone && (action == postgres::Action::kHalve || action == postgres::Action::kRace))) {
      return failed;
    }
    const Result back = connection_->Execute("ROLLBACK TO SAVEPOINT part");
    if (!back.ok()) return back.error();
  }
  const Result released = connection_->Execute("RELEASE SAVEPOINT part");
  if (!released.ok()) return released.error();
  if (!failed) return std::nullopt;
  if (end - begin == 1) {
    Refuse(sent_[begin], *failed);
    return std::nullopt;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  if (auto error = Bisect(begin, middle)) return error;
  return Bisect(middle, end);
}

std::optional<Error> Transaction::Store(std::size_t begin, std::size_t end) {
  const std::vector<std::string_view> part(texts_.begin() + static_cast<std::ptrdiff_t>(begin),
                                           texts_.begin() + static_cast<std::ptrdiff_t>(end));
  const Statement ingest = ingest::IngestBatch(part);
  std::vector<Outcome> outcomes;
  if (auto error = ingest::ReadOutcomes(connection_->Execute(ingest.sql, ingest.params),
                                        part.size(), &outcomes)) {
    return error;
  }
  for (std::size_t i = begin; i < end; ++i) outcomes_[sent_[i]] = std::move(outcomes[i - begin]);
  return std::nullopt;
}

void Transaction::Refuse(std::size_t index, const Error& error) {
  const char* code = error.sqlstate == "UA002" ? "event_id_conflict" : "sql_error";
  outcomes_[index] = Rejected(code, error.message, error.sqlstate);
}

std::optional<Verdict> Transaction::CheckFence(const Result& moved) const {
  if (moved.rows() == static_cast<int>(reaches_.size())) return std::nullopt;
  Verdict verdict;
  verdict.kind = Verdict::Kind::kFenced;
  for (const auto& [partition, reach] : reaches_) {
    bool ours = false;
    for (int row = 0; row < moved.rows(); ++row) {
      ours |= moved.Get(row, 0) == std::to_string(partition);
    }
    if (!ours) verdict.partitions.push_back(partition);
  }
  return verdict;
}

std::optional<Verdict> Transaction::CheckFuses(const Batch& batch, const Positions& positions) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::kFuse;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Record& record = batch[i].record;
    const Position& position = positions.at(record.partition);
    if (record.offset < position.fuse_from) continue;
    Fuse& fuse = fuses_.try_emplace(record.partition, position.fuse).first->second;
    if (!fuse.Blown(outcomes_[i].status == kRejected)) continue;
    auto& blown = verdict.partitions;
    if (std::find(blown.begin(), blown.end(), record.partition) != blown.end()) continue;
    blown.push_back(record.partition);
    const Refusal refusal = RefusalOf(batch[i], outcomes_[i]);
    verdict.reasons.push_back(refusal.reason +
                              (refusal.detail.empty() ? "" : " (" + refusal.detail + ")"));
  }
  if (verdict.partitions.empty()) return std::nullopt;
  return verdict;
}

void Transaction::MakeLetters(const Batch& batch) {
  letters_.clear();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (outcomes_[i].status != kRejected) continue;
    letters_.push_back(RefusalOf(batch[i], outcomes_[i]));
  }
}

Verdict Transaction::Committed() {
  Verdict verdict;
  verdict.kind = Verdict::Kind::kCommitted;
  verdict.reasons.resize(outcomes_.size());
  std::size_t letter = 0;
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    if (outcomes_[i].status == kRejected) verdict.reasons[i] = letters_[letter++].reason;
  }
  verdict.outcomes = std::move(outcomes_);
  verdict.reaches = std::move(reaches_);
  for (const auto& [partition, fuse] : fuses_) positions_->at(partition).fuse = fuse;
  batch_ = nullptr;
  return verdict;
}

Verdict Transaction::Failed(const Error& error, bool unknown) {
  Verdict verdict;
  verdict.error = error;
  verdict.unknown = unknown;
  return Ended(std::move(verdict));
}

Verdict Transaction::Ended(Verdict verdict) {
  if (connection_->connected()) connection_->Execute("ROLLBACK");
  batch_ = nullptr;
  return verdict;
}

}  // namespace auren::kafka
