#include "app/dead_letters_cli.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <iomanip>
#include <ostream>

#include "app/dead_letters_options.h"
#include "app/dead_letters_retry.h"
#include "config/config.h"
#include "devices/crypto.h"
#include "http/text.h"
#include "postgres/connection.h"
#include "postgres/sqlstate.h"

namespace auren::app {
namespace {

using postgres::Param;
using postgres::Result;
using Options = DeadLettersOptions;

std::string Utc(const std::string& column) {
  return "to_char(" + column + R"( AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))";
}
std::string Base64(const std::string& column) {
  return "replace(encode(" + column + R"(, 'base64'), E'\n', ''))";
}

constexpr char kFilter[] =
    " FROM bridge.dead_letters WHERE ($1::text IS NULL OR reason = $1)"
    " AND ($2::text IS NULL OR topic = $2)"
    " AND ($3::text IS NULL OR first_seen >= $3::text::timestamptz)"
    " AND ($4::text IS NULL OR status = $4) ORDER BY id LIMIT $5::text::bigint";

std::string TableColumns() {
  return R"(SELECT id, status, topic, coalesce(partition || ':' || "offset", '-'), reason,
    attempts, )" +
         Utc("first_seen") + ", coalesce(octet_length(value), 0)";
}

std::string JsonColumns() {
  return R"(SELECT json_build_object('id', id, 'status', status, 'topic', topic,
    'partition', partition, 'offset', "offset", 'reason', reason, 'detail', detail,
    'sqlstate', sqlstate, 'attempts', attempts, 'first_seen', )" +
         Utc("first_seen") + ", 'last_seen', " + Utc("last_seen") +
         ", 'note', note, 'event_ids', event_ids, 'size', octet_length(value))";
}

std::string Everything() {
  return R"(SELECT id, status, topic, partition, "offset", reason, detail, sqlstate, attempts,
    note, headers, array_to_string(event_ids, ' ') AS event_ids, octet_length(value) AS size, )" +
         Utc("first_seen") + " AS first_seen, " + Utc("last_seen") + " AS last_seen, " +
         Utc("mirrored_at") + " AS mirrored_at, " + Base64("key") + " AS key, " + Base64("value") +
         " AS value FROM bridge.dead_letters WHERE id = $1::bigint";
}

int Fail(const postgres::Error& error, std::ostream& err) {
  err << "auren-worker dead-letters: " << error.message << " (SQLSTATE " << error.sqlstate << ")\n";
  return kExitUnavailable;
}

Param TextOrNull(const std::string& text) {
  return text.empty() ? Param::Null() : Param::Text(text);
}

std::vector<Param> Filter(const Options& options) {
  return {TextOrNull(options.reason), TextOrNull(options.topic), TextOrNull(options.since),
          options.status == "all" ? Param::Null() : Param::Text(options.status),
          options.limit > 0 ? Param::Text(std::to_string(options.limit)) : Param::Null()};
}

// Text that a terminal shows and does not obey: UTF-8 without control characters but for line
// breaks and tabs.
bool IsPlainText(std::string_view bytes) {
  if (!http::IsUtf8(bytes)) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const bool is_break = byte == '\n' || byte == '\r' || byte == '\t';
    if ((byte < 0x20 && !is_break) || byte == 0x7f) return false;
    if (byte == 0xc2 && static_cast<unsigned char>(bytes[i + 1]) < 0xa0) return false;  // C1
  }
  return true;
}

// One line: what a terminal would obey is a question mark.
std::string OneLine(std::string_view text) {
  std::string line(text);
  if (!IsPlainText(text)) {
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  }
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return line;
}

int ListTable(const Result& result, std::ostream& out) {
  constexpr int kColumns = 8;
  const std::array<std::string, kColumns> names = {"id",     "status",   "topic",      "record",
                                                   "reason", "attempts", "first_seen", "size"};
  std::array<std::size_t, kColumns> widths{};
  for (int column = 0; column < kColumns; ++column) {
    widths[column] = names[column].size();
    for (int row = 0; row < result.rows(); ++row) {
      widths[column] = std::max(widths[column], result.Get(row, column).size());
    }
  }
  for (int row = -1; row < result.rows(); ++row) {
    for (int column = 0; column < kColumns; ++column) {
      const std::string cell = row < 0 ? names[column] : OneLine(result.Get(row, column));
      out << cell;
      if (column < kColumns - 1) out << std::string(widths[column] - cell.size() + 2, ' ');
    }
    out << "\n";
  }
  return kExitDone;
}

int List(postgres::Connection& database, const Options& options, std::ostream& out,
         std::ostream& err) {
  const Result result =
      database.Execute((options.json ? JsonColumns() : TableColumns()) + kFilter, Filter(options));
  if (!result.ok()) return Fail(result.error(), err);
  if (options.json) {
    for (int row = 0; row < result.rows(); ++row) out << result.Get(row, 0) << "\n";
  } else {
    ListTable(result, out);
  }
  if (result.rows() == options.limit) err << "there may be more: see --limit\n";
  return kExitDone;
}

int Show(postgres::Connection& database, const Options& options, std::ostream& out,
         std::ostream& err) {
  const std::string id = std::to_string(options.ids[0]);
  const Result result = database.Execute(Everything(), {Param::Text(id)});
  if (!result.ok()) return Fail(result.error(), err);
  if (result.rows() == 0) {
    err << "auren-worker dead-letters: dead letter " << id << " does not exist\n";
    return kExitNo;
  }
  const int value_column = result.Column("value");
  const std::string value = devices::DecodeBase64(result.Get(0, value_column)).value_or("");
  if (options.raw) {
    out.write(value.data(), static_cast<std::streamsize>(value.size()));
    return kExitDone;
  }
  for (const char* name :
       {"id", "status", "topic", "partition", "offset", "reason", "detail", "sqlstate", "attempts",
        "first_seen", "last_seen", "note", "event_ids", "mirrored_at", "headers", "size"}) {
    const int column = result.Column(name);
    if (result.IsNull(0, column)) continue;
    out << std::left << std::setw(13) << std::string(name) + ":" << OneLine(result.Get(0, column))
        << "\n";
  }
  const int key_column = result.Column("key");
  if (!result.IsNull(0, key_column)) {
    const std::string key = devices::DecodeBase64(result.Get(0, key_column)).value_or("");
    const bool plain = IsPlainText(key);
    out << std::left << std::setw(13) << (plain ? "key:" : "key, base64:")
        << (plain ? OneLine(key) : std::string(result.Get(0, key_column))) << "\n";
  }
  if (result.IsNull(0, value_column)) return kExitDone;
  const bool plain = IsPlainText(value);
  out << (plain ? "value:\n" : "value, base64:\n")
      << (plain ? std::string_view(value) : result.Get(0, value_column)) << "\n";
  return kExitDone;
}

using Doing = std::function<Fate(std::int64_t)>;

// Does it to one after the other and says what became of each. `done`: the word for those it was
// done to.
int ForEach(postgres::Connection& database, const Options& options, const std::string& done,
            const Doing& doing, std::ostream& out, std::ostream& err) {
  std::vector<std::int64_t> ids = options.ids;
  if (ids.empty()) {
    const Result result = database.Execute(std::string("SELECT id") + kFilter, Filter(options));
    if (!result.ok()) return Fail(result.error(), err);
    for (int row = 0; row < result.rows(); ++row) {
      const std::string_view text = result.Get(row, 0);
      std::from_chars(text.data(), text.data() + text.size(), ids.emplace_back());
    }
  }
  const std::string would = options.dry_run ? "would be " : "";
  int counts[2] = {0, 0};  // done, not done
  for (const std::int64_t id : ids) {
    const Fate fate = doing(id);
    if (fate.kind == Fate::Kind::kFailed) {
      err << "stopped at letter " << id << "; " << would << done << " before it: " << counts[0]
          << "\n";
      return Fail({fate.sqlstate, fate.words}, err);
    }
    const bool taken = fate.kind == Fate::Kind::kTaken;
    ++counts[taken ? 0 : 1];
    if (fate.kind == Fate::Kind::kRefused) {
      err << OneLine(fate.words) << "\n";
      continue;
    }
    out << id << " " << would << (taken ? done : "open")
        << (fate.words.empty() ? "" : ": " + OneLine(fate.words)) << std::endl;
  }
  err << would << done << ": " << counts[0] << ", not: " << counts[1] << "\n";
  return counts[1] == 0 ? kExitDone : kExitNo;
}

// In one statement: a dry run asks only whether it could be.
Fate Discard(postgres::Connection& database, const Options& options, std::int64_t id) {
  const std::string sql = options.dry_run
                              ? "SELECT FROM bridge.open_dead_letter($1::bigint) WHERE $2 <> ''"
                              : "SELECT bridge.discard_dead_letter($1::bigint, $2)";
  const Result result =
      database.Execute(sql, {Param::Text(std::to_string(id)), Param::Text(options.note)});
  if (result.ok()) return {Fate::Kind::kTaken, "", ""};
  const std::string& sqlstate = result.error().sqlstate;
  const bool refused = sqlstate == "42704" || sqlstate == "55000";
  return {refused ? Fate::Kind::kRefused : Fate::Kind::kFailed, result.error().message, sqlstate};
}

}  // namespace

int RunDeadLetters(const std::vector<std::string>& args, const Environment& environment,
                   std::ostream& out, std::ostream& err) {
  Options options;
  if (const auto code =
          ParseDeadLetters(args, std::chrono::system_clock::now(), &options, out, err)) {
    return *code;
  }
  config::Source source;
  source.environment = environment;
  source.file = options.config;
  const config::Loaded loaded = config::Load(source);
  if (!loaded.config) {
    for (const std::string& error : loaded.errors) err << error << "\n";
    return kExitConfig;
  }
  postgres::Connection database(loaded.config->postgres.url, "dead-letters");
  switch (options.verb) {
    case Options::Verb::kList:
      return List(database, options, out, err);
    case Options::Verb::kShow:
      return Show(database, options, out, err);
    case Options::Verb::kRetry: {
      LetterRetrier retrier(&database, loaded.config->catalog.get(), options.dry_run);
      return ForEach(
          database, options, "retried", [&](std::int64_t id) { return retrier.Retry(id); }, out,
          err);
    }
    case Options::Verb::kDiscard:
      return ForEach(
          database, options, "discarded",
          [&](std::int64_t id) { return Discard(database, options, id); }, out, err);
  }
  return kExitInternal;
}

}  // namespace auren::app
