#include "kafka/mirror.h"

#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "ops/log.h"

namespace auren::kafka {
namespace {

using Check = ops::Readiness::Check;
using Milliseconds = std::chrono::milliseconds;
using postgres::Param;
using postgres::Result;

constexpr Milliseconds kTryAgain{1000};

constexpr const char* kPage =
    "SELECT id, topic, partition, \"offset\", encode(key, 'hex'), encode(value, 'hex'), reason,"
    "  detail, sqlstate, attempts,"
    "  to_char(first_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    "  floor(extract(epoch FROM first_seen) * 1000)::bigint"
    " FROM (SELECT d.*, sum(coalesce(octet_length(value), 0)"
    "           + coalesce(octet_length(key), 0) + coalesce(pg_column_size(headers), 0))"
    "         OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before"
    "       FROM bridge.unmirrored_dead_letters($1::text::int) AS d) AS d"
    " WHERE coalesce(before, 0) < $2::text::bigint ORDER BY id";
constexpr const char* kHeaders =
    "SELECT d.id, h.header ->> 'key', encode(CASE WHEN h.header ? 'base64'"
    "    THEN decode(h.header ->> 'base64', 'base64')"
    "    ELSE convert_to(h.header ->> 'value', 'UTF8') END, 'hex')"
    " FROM bridge.dead_letters AS d"
    " CROSS JOIN LATERAL jsonb_array_elements("
    "   CASE jsonb_typeof(d.headers) WHEN 'array' THEN d.headers END)"
    "   WITH ORDINALITY AS h (header, number)"
    " WHERE d.id = ANY ($1::bigint[]) AND h.header ? 'key' ORDER BY d.id, h.number";
constexpr const char* kMark = "SELECT bridge.mark_mirrored($1::bigint[])";

// What encode(..., 'hex') wrote.
std::string FromHex(std::string_view hex) {
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

std::optional<std::string> Bytes(const Result& result, int row, int column) {
  if (result.IsNull(row, column)) return std::nullopt;
  return FromHex(result.Get(row, column));
}

MirroredLetter ReadLetter(const Result& page, int row) {
  MirroredLetter letter;
  letter.id = page.Number<std::int64_t>(row, 0);
  letter.topic = page.Get(row, 1);
  letter.partition = page.Number<std::int32_t>(row, 2);
  letter.offset = page.Number<std::int64_t>(row, 3);
  letter.key = Bytes(page, row, 4);
  letter.value = Bytes(page, row, 5);
  letter.reason = page.Get(row, 6);
  letter.detail = page.Get(row, 7);
  letter.sqlstate = page.Get(row, 8);
  letter.attempts = page.Get(row, 9);
  letter.first_seen = page.Get(row, 10);
  letter.first_seen_ms = page.Number<std::int64_t>(row, 11);
  return letter;
}

// Of the two places where Connect would have failed: reading the value, or the sink.
bool Unreadable(const std::string& reason) {
  return reason == "malformed" || reason == "unknown_content_type" || reason == "empty_value" ||
         reason == "too_large";
}

}  // namespace

Record ToRecord(const MirroredLetter& letter, const std::string& topic, const std::string& group,
                Copy copy) {
  Record record;
  record.topic = topic;
  record.timestamp_ms = letter.first_seen_ms;
  if (copy != Copy::kReasonOnly) {
    record.key = letter.key;
    record.headers = letter.headers;
  }
  if (copy == Copy::kWhole) record.value = letter.value;
  const bool unreadable = Unreadable(letter.reason);
  const std::string errors = "__connect.errors.";
  const std::vector<Header> why = {
      {errors + "topic", letter.topic},
      {errors + "partition", std::to_string(letter.partition)},
      {errors + "offset", std::to_string(letter.offset)},
      {errors + "connector.name", group},
      {errors + "task.id", "0"},
      {errors + "stage", unreadable ? "VALUE_CONVERTER" : "TASK_PUT"},
      {errors + "class.name", unreadable ? "auren.kafka.Codec" : "bridge.ingest_batch"},
      {errors + "exception.class.name", letter.reason},
      {errors + "exception.message", letter.detail.empty() ? letter.reason : letter.detail},
      {"auren.dlq.id", std::to_string(letter.id)},
      {"auren.dlq.sqlstate", letter.sqlstate},
      {"auren.dlq.attempts", letter.attempts},
      {"auren.dlq.first_seen", letter.first_seen}};
  record.headers.insert(record.headers.end(), why.begin(), why.end());
  if (copy != Copy::kWhole) record.headers.push_back({kTruncatedHeader, "too_large"});
  return record;
}

Mirror::Mirror(Options options, Producer* producer, ops::Metrics* metrics,
               ops::Readiness* readiness, ops::Beat beat)
    : options_(std::move(options)),
      producer_(producer),
      metrics_(metrics),
      readiness_(readiness),
      beat_(std::move(beat)),
      bell_(std::make_shared<Bell>()),
      flight_(std::make_shared<Flight>(bell_, options_.page_bytes)),
      single_(options_.postgres_url, "mirror", "auren_mirror:" + options_.topic) {
  metrics_->KafkaSent(options_.topic, "acknowledged", 0);
  readiness_->Set("mirror", Check::kDegraded, "not begun yet");
  producer_->Warm(options_.topic);
  thread_ = std::thread([this] { Run(); });
}

Mirror::~Mirror() { Stop(); }

void Mirror::Stop() {
  bell_->Stop();
  if (thread_.joinable()) thread_.join();
}

void Mirror::Run() {
  pthread_setname_np(pthread_self(), "mirror");
  while (!bell_->stopped()) {
    beat_.Tick();
    if (single_.Hold()) {
      Step();
    } else {
      bell_->Pause(kTryAgain);
    }
    Say();
  }
  const auto end = std::chrono::steady_clock::now() + options_.patience;
  std::string why;
  while (flight_->state().unreported > 0 && std::chrono::steady_clock::now() < end &&
         !producer_->away(&why)) {
    bell_->WaitToFinish(Milliseconds(20));
  }
  Settle();
  single_.Leave();
}

void Mirror::Step() {
  Settle();
  const Flight::State flight = flight_->state();
  if (flight.unreported > 0) {
    bell_->Wait(kTryAgain);
    single_.Execute("SELECT 1");  // the session is not idle (kafka/single.h)
    return;
  }
  if (flight.failure) {
    if (flight.failure->too_large) {
      Copy& copy = smaller_[flight.failure->position];
      copy = copy == Copy::kWhole ? Copy::kWithoutValue : Copy::kReasonOnly;
    } else {
      Fail(Explain(flight.failure->error, options_.topic));
    }
    metrics_->KafkaSent(options_.topic, "failed", 1);
  }
  flight_->Clear();
  if (acknowledged_.empty() && single_.held() && !Read()) bell_->Pause(options_.pause);
}

bool Mirror::Settle() {
  const std::vector<std::int64_t> ids = flight_->TakeAcknowledged();
  acknowledged_.insert(acknowledged_.end(), ids.begin(), ids.end());
  for (const std::int64_t id : ids) smaller_.erase(id);
  if (!ids.empty()) {
    trouble_.clear();
    metrics_->KafkaSent(options_.topic, "acknowledged", static_cast<double>(ids.size()));
  }
  if (acknowledged_.empty() || !single_.held()) return false;
  const Result result = single_.Execute(kMark, {Param::Bigints(acknowledged_)});
  if (result.ok()) {
    acknowledged_.clear();
  } else {
    Fail(result.error().message);
  }
  return result.ok();
}

bool Mirror::Read() {
  const Result page = single_.Execute(kPage, {Param::Text(std::to_string(options_.page_letters)),
                                              Param::Text(std::to_string(options_.page_bytes))});
  if (!page.ok()) {
    Fail(page.error().message);
    return false;
  }
  if (page.rows() == 0) {
    trouble_.clear();
    return false;
  }
  std::vector<MirroredLetter> letters;
  letters.reserve(static_cast<std::size_t>(page.rows()));
  for (int row = 0; row < page.rows(); ++row) letters.push_back(ReadLetter(page, row));
  if (!ReadHeaders(&letters)) return false;
  for (const MirroredLetter& letter : letters) {
    if (!Publish(letter)) return false;
  }
  return true;
}

bool Mirror::ReadHeaders(std::vector<MirroredLetter>* letters) {
  std::vector<std::int64_t> ids;
  for (const MirroredLetter& letter : *letters) ids.push_back(letter.id);
  const Result rows = single_.Execute(kHeaders, {Param::Bigints(ids)});
  if (!rows.ok()) {
    Fail(rows.error().message);
    return false;
  }
  auto letter = letters->begin();
  for (int row = 0; row < rows.rows(); ++row) {  // both in the order of ids
    const auto id = rows.Number<std::int64_t>(row, 0);
    letter =
        std::find_if(letter, letters->end(), [&](const MirroredLetter& l) { return l.id == id; });
    if (letter == letters->end()) break;
    letter->headers.push_back({std::string(rows.Get(row, 1)), Bytes(rows, row, 2)});
  }
  return true;
}

bool Mirror::Publish(const MirroredLetter& letter) {
  const auto known = smaller_.find(letter.id);
  Copy copy = known == smaller_.end() ? Copy::kWhole : known->second;
  Producer::Sent sent = Producer::Sent::kTooLarge;
  for (;;) {
    sent =
        flight_->Send(producer_, ToRecord(letter, options_.topic, options_.group, copy), letter.id);
    if (sent != Producer::Sent::kTooLarge || copy == Copy::kReasonOnly) break;
    copy = copy == Copy::kWhole ? Copy::kWithoutValue : Copy::kReasonOnly;
  }
  switch (sent) {
    case Producer::Sent::kQueued:
      if (copy != Copy::kWhole) metrics_->KafkaSent(options_.topic, "truncated", 1);
      return true;
    case Producer::Sent::kQueueFull:
      return false;  // the rest with the next page
    case Producer::Sent::kTooLarge:
      Fail("a dead letter's reason alone is too large for a record");
      return false;
    case Producer::Sent::kNoTopic:
      Fail(MissingTopic(options_.topic));
      return false;
    case Producer::Sent::kUnavailable:
      if (!flight_->state().failure) Fail("the producer cannot send");
      return false;
  }
  return false;
}

void Mirror::Fail(const std::string& why) {
  if (trouble_ != why) {
    ops::log::Warn("mirror", "dead letters are not copied",
                   {{"topic", options_.topic}, {"error", why}});
  }
  trouble_ = why;
  bell_->Pause(kTryAgain);
}

void Mirror::Say() {
  single_.Say({"mirror", "copies to " + options_.topic, "another worker copies"}, trouble_,
              *producer_, readiness_);
}

}  // namespace auren::kafka
