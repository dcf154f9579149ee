#include "kafka/outbox.h"

#include <pthread.h>

#include <algorithm>
#include <optional>

#include "ops/log.h"

namespace auren::kafka {
namespace {

using Check = ops::Readiness::Check;
using Milliseconds = std::chrono::milliseconds;
using postgres::Param;
using postgres::Result;

constexpr Milliseconds kTryAgain{1000};     // for the lock, or after an error of PostgreSQL
constexpr Milliseconds kFirstBackoff{200};  // after a record that failed; doubled
constexpr Milliseconds kMostBackoff{5000};
constexpr const char* kIdle = "500ms";  // the most that a stop waits for wait_for_events

// The page of a subscription, or of what lies behind the part of it that is under way: `%` is the
// source of rows. A value that cannot be sent is not fetched, and a page ends with the event that
// fills it. Nothing is computed twice: OFFSET 0 keeps the parts apart.
constexpr const char* kPage =
    "SELECT position, version, stream_id, event_id, event_type, at, ms, traceparent, parked,"
    "  CASE WHEN octet_length(body) <= $4::text::bigint THEN body END"
    " FROM (SELECT e.*, sum(least(octet_length(body), $4::text::bigint))"
    "         OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before"
    "       FROM (SELECT p.position, p.version, p.stream_id, p.event_id, p.event_type,"
    "               to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    "                 AS at,"
    "               floor(extract(epoch FROM p.created_at) * 1000)::bigint AS ms,"
    "               substring(p.metadata ->> 'traceparent' FROM"
    "                 '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$') AS traceparent,"
    "               EXISTS (SELECT FROM events.parked AS k"
    "                       WHERE k.name = $1 AND k.position = p.position) AS parked,"
    "               p.event_data::text AS body"
    "             FROM % AS p OFFSET 0) AS e) AS e"
    " WHERE coalesce(before, 0) < $3::text::bigint ORDER BY position";

std::string Page(std::string_view source) {
  std::string sql = kPage;
  return sql.replace(sql.find('%'), 1, source);
}

// The subscription itself passes over what has been parked; what is read ahead must do so, too.
const std::string& PollPage() {
  static const std::string sql = Page("events.poll_subscription($1, $2::text::int)");
  return sql;
}
const std::string& NextPage() {
  static const std::string sql = Page(
      "(SELECT * FROM events.read_category($5, $6::text::bigint, $2::text::int) AS r"
      "  WHERE NOT EXISTS (SELECT FROM events.parked AS k"
      "                    WHERE k.name = $1 AND k.position = r.position))");
  return sql;
}

constexpr const char* kCreate =
    "SELECT events.create_subscription($1, $2)"
    " WHERE NOT EXISTS (SELECT FROM events.subscriptions WHERE name = $1)";
constexpr const char* kAcknowledge = "SELECT events.ack_subscription($1, $2::text::bigint)";
constexpr const char* kWait = "CALL events.wait_for_events($1::text::bigint, $2::text::interval)";

// The oldest event there is behind any of the subscriptions, settled or not.
constexpr const char* kOldest =
    "SELECT floor(extract(epoch FROM min(oldest.created_at)) * 1000)::bigint"
    " FROM events.subscriptions AS s"
    " LEFT JOIN events.subscription_checkpoints AS c ON c.name = s.name AND c.members = 1"
    " CROSS JOIN LATERAL (SELECT e.created_at FROM events.all_events AS e"
    "   WHERE split_part(e.stream_id, ':', 1) = s.category"
    "     AND e.position > greatest(s.position, c.position)"
    "   ORDER BY e.position LIMIT 1) AS oldest"
    " WHERE s.name = ANY ($1)";

Event ReadEvent(const Result& page, int row) {
  Event event;
  event.position = page.Number<std::int64_t>(row, 0);
  event.version = page.Number<std::int64_t>(row, 1);
  event.stream_id = page.Get(row, 2);
  event.event_id = page.Get(row, 3);
  event.event_type = page.Get(row, 4);
  event.created_at = page.Get(row, 5);
  event.created_at_ms = page.Number<std::int64_t>(row, 6);
  event.traceparent = page.Get(row, 7);
  if (!page.IsNull(row, 9)) event.data = page.Get(row, 9);
  return event;
}

}  // namespace

Outbox::Outbox(Options options, Producer* producer, ops::Metrics* metrics,
               ops::Readiness* readiness, ops::Beat beat)
    : options_(std::move(options)),
      producer_(producer),
      metrics_(metrics),
      readiness_(readiness),
      beat_(std::move(beat)),
      bell_(std::make_shared<Bell>()),
      single_(options_.postgres_url, "outbox", "auren_outbox:" + options_.topic) {
  for (const std::string& category : options_.categories) {
    Line line;
    line.category = category;
    line.subscription = "auren_outbox:" + options_.topic + ":" + category;
    line.flight = std::make_shared<Flight>(bell_, options_.flight_bytes);
    lines_.push_back(std::move(line));
  }
  metrics_->KafkaSent(options_.topic, "acknowledged", 0);
  readiness_->Set("outbox", Check::kDegraded, "not begun yet");
  producer_->Warm(options_.topic);
  thread_ = std::thread([this] { Run(); });
}

Outbox::~Outbox() { Stop(); }

void Outbox::Stop() {
  bell_->Stop();
  if (thread_.joinable()) thread_.join();
}

void Outbox::Run() {
  pthread_setname_np(pthread_self(), "outbox");
  bool publishing = false;
  while (!bell_->stopped()) {
    beat_.Tick();
    const bool held = single_.Hold();
    if (held != publishing) {
      publishing = held;
      // What is under way from before is waited for, then the checkpoint is where to go on.
      prepared_ = false;
      rewinding_ = true;
      ops::log::Info("outbox", held ? "publishing" : "no longer publishing",
                     {{"topic", options_.topic}, {"error", single_.error()}});
    }
    if (held && (prepared_ || Prepare())) {
      Step();
    } else {
      bell_->Pause(kTryAgain);
    }
    Measure();
    Say();
  }
  Finish();
}

void Outbox::Finish() {
  const Clock::time_point end = Clock::now() + options_.patience;
  std::string why;
  for (bool more = true; more;) {
    more = UnderWay() > 0 && Clock::now() < end && !producer_->away(&why);
    if (more) bell_->WaitToFinish(Milliseconds(20));
    for (Line& line : lines_) Settle(&line);
  }
  if (const std::size_t left = UnderWay(); left > 0) {
    ops::log::Warn("outbox", "stopped with records under way: they will be sent again",
                   {{"topic", options_.topic}, {"records", static_cast<std::int64_t>(left)}});
  }
  single_.Leave();
}

bool Outbox::Prepare() {
  const Result database = single_.Execute("SELECT pg_catalog.current_database()");
  if (database.ok()) source_ = EventSource(std::string(database.Get(0, 0)));
  for (const Line& line : lines_) {
    single_.Execute(kCreate, {Param::Text(line.subscription), Param::Text(line.category)});
    if (!single_.error().empty()) break;
  }
  prepared_ = single_.held() && single_.error().empty();
  if (!prepared_) trouble_ = single_.error();
  waited_to_ = 0;
  return prepared_;
}

void Outbox::Step() {
  bool moved = false;
  for (Line& line : lines_) moved |= Settle(&line);
  if (Rewound()) {
    for (Line& line : lines_) moved |= Read(&line);
  }
  if (!moved) Await();
}

bool Outbox::Settle(Line* line) {
  const std::vector<std::int64_t> positions = line->flight->TakeAcknowledged();
  if (!positions.empty()) {
    line->published_to = positions.back();
    line->too_large.erase(line->too_large.begin(), line->too_large.upper_bound(positions.back()));
    metrics_->KafkaSent(options_.topic, "acknowledged", static_cast<double>(positions.size()));
    backoff_ = Milliseconds(0);
    trouble_.clear();
  }
  if (!rewinding_) {
    if (const auto failure = line->flight->state().failure) {
      metrics_->KafkaSent(options_.topic, "failed", 1);
      if (failure->too_large) line->too_large.insert(failure->position);
      Rewind(Explain(failure->error, options_.topic), failure->too_large);
    }
  }
  if (line->published_to == 0 || !single_.held()) return false;
  const Result result = single_.Execute(
      kAcknowledge,
      {Param::Text(line->subscription), Param::Text(std::to_string(line->published_to))});
  if (!result.ok() && !single_.connected()) return false;  // once there is a connection again
  line->published_to = 0;
  if (!result.ok()) Rewind(result.error().message, /*at_once=*/false);
  return true;
}

bool Outbox::Read(Line* line) {
  const Flight::State flight = line->flight->state();
  if (rewinding_ || !single_.held() || flight.bytes >= options_.flight_bytes ||
      flight.unreported >= options_.flight_records || (line->alone && flight.records > 0)) {
    return false;
  }
  std::vector<Param> params = {
      Param::Text(line->subscription), Param::Text(std::to_string(options_.page_events)),
      Param::Text(std::to_string(options_.page_bytes)), Param::Text(std::to_string(kMaxEventData))};
  const bool ahead = flight.records > 0;
  if (ahead) {
    params.push_back(Param::Text(line->category));
    params.push_back(Param::Text(std::to_string(line->read_to)));
  }
  const Result page = single_.Execute(ahead ? NextPage() : PollPage(), params);
  if (!page.ok()) {
    Rewind(page.error().message, /*at_once=*/false);
    return false;
  }
  if (page.rows() > 0) line->alone = page.Get(0, 8) == "t";
  for (int row = 0; row < page.rows(); ++row) {
    if (!Publish(line, ReadEvent(page, row))) break;
  }
  return page.rows() > 0;
}

bool Outbox::Publish(Line* line, Event event) {
  if (line->too_large.contains(event.position)) event.data.reset();
  Producer::Sent sent =
      line->flight->Send(producer_, ToRecord(event, options_.topic, source_), event.position);
  if (sent == Producer::Sent::kTooLarge && event.data) {
    event.data.reset();
    sent = line->flight->Send(producer_, ToRecord(event, options_.topic, source_), event.position);
  }
  switch (sent) {
    case Producer::Sent::kQueued:
      line->read_to = event.position;
      if (!event.data) metrics_->KafkaSent(options_.topic, "truncated", 1);
      return true;
    case Producer::Sent::kQueueFull:
      Rewind("the producer's queue is full", /*at_once=*/false);
      return false;
    case Producer::Sent::kTooLarge:
      Rewind("the record of an event is too large without its data", /*at_once=*/false);
      return false;
    case Producer::Sent::kNoTopic:
      Rewind(MissingTopic(options_.topic), /*at_once=*/false);
      return false;
    case Producer::Sent::kUnavailable:
      // Also behind a record that failed: then Settle says more of it.
      if (!line->flight->state().failure) {
        Rewind("the producer cannot send", /*at_once=*/false);
      }
      return false;
  }
  return false;
}

void Outbox::Rewind(const std::string& why, bool at_once) {
  rewinding_ = true;
  if (at_once) return;
  if (trouble_ != why) {
    ops::log::Warn("outbox", "goes back to the first event that is not acknowledged",
                   {{"topic", options_.topic}, {"error", why}});
  }
  trouble_ = why;
  backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kMostBackoff);
  resume_at_ = Clock::now() + backoff_;
}

bool Outbox::Rewound() {
  if (!rewinding_) return true;
  if (UnderWay() > 0 || Clock::now() < resume_at_) return false;
  for (Line& line : lines_) {
    if (line.published_to != 0) return false;  // acknowledged first
    line.flight->Clear();
  }
  rewinding_ = false;
  return true;
}

void Outbox::Await() {
  std::string why;
  if (rewinding_) {
    bell_->Wait(Milliseconds(50));
  } else if (UnderWay() > 0) {
    // What comes meanwhile is read ahead, unless nobody takes it.
    bell_->Wait(producer_->away(&why) ? Milliseconds(500) : Milliseconds(10));
  } else {
    trouble_.clear();
    if (behind_) {  // no longer, most likely: not said half a second late
      measure_at_ = {};
      Measure();
    }
    const Result result =
        single_.Execute(kWait, {Param::Text(std::to_string(waited_to_)), Param::Text(kIdle)});
    if (result.ok()) {
      waited_to_ = result.Number<std::int64_t>(0, 0);
    } else {
      Rewind(result.error().message, /*at_once=*/false);
    }
  }
}

// Also by those who stand by: when the publisher hangs, its own metrics may hang with it.
void Outbox::Measure() {
  if (single_.connected()) {
    if (Clock::now() < measure_at_) return;
    std::vector<std::optional<std::string>> names;
    for (const Line& line : lines_) names.emplace_back(line.subscription);
    const Result result = single_.Execute(kOldest, {Param::Texts(names)});
    if (result.ok()) {
      behind_ = !result.IsNull(0, 0);
      const std::chrono::system_clock::time_point oldest{
          Milliseconds(result.Number<std::int64_t>(0, 0))};
      metrics_->OutboxBehindSince(behind_ ? std::optional(oldest) : std::nullopt);
      caught_up_at_ = std::chrono::system_clock::now();
      measure_at_ = Clock::now() + Milliseconds(behind_ ? 100 : 1000);
      return;
    }
  }
  // Nobody knows what is appended where PostgreSQL cannot be asked. What was known to be behind
  // still is; from all published on the doubt grows.
  if (!behind_) metrics_->OutboxBehindSince(caught_up_at_);
}

void Outbox::Say() {
  single_.Say({"outbox", "publishes to " + options_.topic, "another worker publishes"}, trouble_,
              *producer_, readiness_);
}

std::size_t Outbox::UnderWay() const {
  std::size_t records = 0;
  for (const Line& line : lines_) records += line.flight->state().unreported;
  return records;
}

}  // namespace auren::kafka
