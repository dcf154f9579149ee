#include "app/dead_letters_retry.h"

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "app/answers.h"
#include "app/body_checks.h"
#include "app/webhooks.h"
#include "devices/crypto.h"
#include "ingest/pg_database.h"
#include "kafka/codec.h"
#include "postgres/sqlstate.h"

namespace auren::app {
namespace {

using devices::Problem;
using postgres::Action;
using postgres::Param;
using postgres::Result;

constexpr int kRaces = 5;  // so often somebody else may come first

// FROM, so that the function is called once whatever is asked of its row.
constexpr char kOpen[] =
    "SELECT topic, replace(encode(value, 'base64'), E'\\n', ''),"
    " to_char(first_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    " bridge.dead_letter_header(headers, 'content-type')"
    " FROM bridge.open_dead_letter($1::bigint)";
constexpr char kContext[] =
    "SELECT h.key, h.value FROM bridge.dead_letters AS d, jsonb_each_text("
    "CASE jsonb_typeof(d.headers) WHEN 'object' THEN d.headers ELSE '{}' END) AS h"
    " WHERE d.id = $1::bigint";
constexpr char kRetry[] =
    "SELECT answer ->> 'status', answer ->> 'event_id', answer ->> 'readings_rejected',"
    " answer #>> '{problem,code}', answer #>> '{problem,detail}'"
    " FROM bridge.retry_dead_letter($1::bigint, $2::text::jsonb) AS answer";
constexpr char kSettle[] = "SELECT bridge.settle_dead_letter($1::bigint, $2, $3, $4)";

Param TextOrNull(std::string_view text) { return text.empty() ? Param::Null() : Param::Text(text); }

Fate Failed(const postgres::Error& error) {
  // Both say no to this letter and to no other: it does not exist, is closed, cannot be read here.
  const bool refused =
      error.sqlstate == "42704" || error.sqlstate == "55000" || error.sqlstate == "0A000";
  return {refused ? Fate::Kind::kRefused : Fate::Kind::kFailed, error.message, error.sqlstate};
}

std::string Taken(std::string_view status, std::string_view event_id, std::string_view refused) {
  std::string words(status);
  if (!event_id.empty()) words.append(" ").append(event_id);
  if (!refused.empty() && refused != "0") words.append(", readings refused: ").append(refused);
  return words;
}

// Rolls back unless it was committed. REQUIRES: after a statement that failed no other is sent, for
// a connection that was lost is made anew, outside the transaction.
class Transaction {
 public:
  explicit Transaction(postgres::Connection& database) : database_(database) {}
  ~Transaction() {
    if (begun_ && database_.connected()) database_.Execute("ROLLBACK");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  std::optional<postgres::Error> Begin() { return Run("BEGIN", true); }
  std::optional<postgres::Error> Commit() { return Run("COMMIT", false); }

 private:
  std::optional<postgres::Error> Run(const char* sql, bool begun) {
    const Result result = database_.Execute(sql);
    if (!result.ok()) return result.error();
    begun_ = begun;
    return std::nullopt;
  }

  postgres::Connection& database_;
  bool begun_ = false;
};

}  // namespace

struct LetterRetrier::Letter {
  std::string id, topic, value, first_seen, content_type;
};

Fate LetterRetrier::Retry(std::int64_t id) {
  for (int race = 1;; ++race) {
    Fate fate = Once(id);
    if (fate.kind != Fate::Kind::kFailed) return fate;
    const Action action = postgres::Classify(fate.sqlstate);
    if ((action != Action::kRetry && action != Action::kRace) || race == kRaces) return fate;
  }
}

Fate LetterRetrier::Once(std::int64_t id) {
  Transaction transaction(database_);
  if (const auto error = transaction.Begin()) return Failed(*error);
  Letter letter;
  letter.id = std::to_string(id);
  {
    const Result opened = database_.Execute(kOpen, {Param::Text(letter.id)});
    if (!opened.ok()) return Failed(opened.error());
    letter.topic = opened.Get(0, 0);
    letter.value = devices::DecodeBase64(opened.Get(0, 1)).value_or("");
    letter.first_seen = opened.Get(0, 2);
    letter.content_type = opened.Get(0, 3);
  }
  const bool is_body = letter.topic.starts_with(kBodyTopic);
  Fate fate = is_body ? RetryBody(letter) : RetryRecord(letter);
  if (fate.kind == Fate::Kind::kRefused || fate.kind == Fate::Kind::kFailed || dry_run_)
    return fate;
  if (const auto error = transaction.Commit()) return Failed(*error);
  return fate;
}

Fate LetterRetrier::RetryBody(const Letter& letter) {
  const std::string provider = letter.topic.substr(std::string_view(kBodyTopic).size());
  const devices::Device* device = catalog_.Find(provider);
  if (device == nullptr) {
    return {Fate::Kind::kOpen, "there is no device file for provider '" + provider + "'", ""};
  }
  if (const auto wrong = CheckBody(letter.value, !device->accepts_form())) {
    return StaysOpen(letter, "malformed", *wrong);
  }

  std::map<std::string, std::string> headers;
  const Result context = database_.Execute(kContext, {Param::Text(letter.id)});
  if (!context.ok()) return Failed(context.error());
  for (int row = 0; row < context.rows(); ++row) {
    headers.emplace(context.Get(row, 0), context.Get(row, 1));
  }
  devices::Verdict verdict;
  verdict.kind = devices::Verdict::Kind::kAccept;
  verdict.key_name = headers["key_name"];
  verdict.bound_user = headers["bound_user"];
  const std::map<std::string, std::string> query;
  devices::Mapped mapped =
      device->Map({"POST", "", &headers, &query, letter.value, /*now_unix=*/0}, verdict);
  if (mapped.problem != Problem::kNone) {
    return StaysOpen(letter, devices::Name(mapped.problem), mapped.detail);
  }

  Fate fate{Fate::Kind::kTaken, "ignored: a known type that is not used", ""};
  if (!mapped.ignored && !mapped.deliveries.empty()) {
    std::vector<const ingest::Delivery*> deliveries;
    for (ingest::Delivery& delivery : mapped.deliveries) {
      delivery.received_at = letter.first_seen;
      delivery.trace_id = headers["trace_id"];
      delivery.provider = provider;
      delivery.bound_user = verdict.bound_user;
      if (delivery.key_name.empty()) delivery.key_name = verdict.key_name;
      deliveries.push_back(&delivery);
    }
    const Result saved = database_.Execute("SAVEPOINT before");
    if (!saved.ok()) return Failed(saved.error());
    const ingest::BatchResult stored = ingest::IngestOn(database_, deliveries);
    if (!stored.sqlstate.empty()) {
      if (postgres::Classify(stored.sqlstate) != Action::kPoison) {
        return {Fate::Kind::kFailed, stored.message, stored.sqlstate};
      }
      const Result back = database_.Execute("ROLLBACK TO before");
      if (!back.ok()) return Failed(back.error());
      return StaysOpen(letter, "sql_error", stored.message, stored.sqlstate);
    }
    const std::string status = WeakestStatus(stored.outcomes);
    if (status == "rejected") {
      return StaysOpen(letter, RejectionCode(stored.outcomes), RejectionDetail(stored.outcomes));
    }
    int refused = 0;
    for (const ingest::Outcome& outcome : stored.outcomes) refused += outcome.readings_rejected;
    fate.words = Taken(status, stored.outcomes[0].event_id, std::to_string(refused));
  }
  const Result settled = database_.Execute(
      kSettle, {Param::Text(letter.id), Param::Null(), Param::Null(), Param::Null()});
  return settled.ok() ? fate : Failed(settled.error());
}

Fate LetterRetrier::RetryRecord(const Letter& letter) {
  std::string delivery;  // empty: the database reads the value itself
  if (letter.content_type.find("protobuf") != std::string::npos) {
    kafka::Record record;
    record.value = letter.value;
    record.headers = {{"content-type", letter.content_type}};
    kafka::Decoded decoded = kafka::Decode(record);
    if (!decoded.ok()) return StaysOpen(letter, decoded.reason, decoded.detail, "");
    delivery = std::move(decoded.json);
  }
  const Result result = database_.Execute(kRetry, {Param::Text(letter.id), TextOrNull(delivery)});
  if (!result.ok()) return Failed(result.error());
  if (result.Get(0, 0) == "rejected") {
    return {Fate::Kind::kOpen, std::string(result.Get(0, 3)) + ": " + std::string(result.Get(0, 4)),
            ""};
  }
  return {Fate::Kind::kTaken, Taken(result.Get(0, 0), result.Get(0, 1), result.Get(0, 2)), ""};
}

Fate LetterRetrier::StaysOpen(const Letter& letter, const std::string& reason,
                              const std::string& detail, const std::string& sqlstate) {
  const Result settled = database_.Execute(kSettle, {Param::Text(letter.id), Param::Text(reason),
                                                     TextOrNull(detail), TextOrNull(sqlstate)});
  if (!settled.ok()) return Failed(settled.error());
  return {Fate::Kind::kOpen, detail.empty() ? reason : reason + ": " + detail, ""};
}

}  // namespace auren::app
