#include "kafka/publisher.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "ingest/refuse.h"
#include "ops/log.h"

namespace auren::kafka {
namespace {

// What waits for a broker that is away this long tells that it is away; more need not wait for it.
constexpr std::chrono::seconds kPatience{1};

}  // namespace

using ingest::Answer;
using ingest::Delivery;
using ingest::Outcome;

// What is under way. Shared with the reports, which may come late.
struct Publisher::Bounds {
  std::mutex mutex;
  std::int64_t deliveries = 0, bytes = 0;
  Clock::time_point since;  // something is under way and nothing has been acknowledged

  // One request larger than all is let in when nothing else is under way: else it never could.
  bool Take(std::int64_t more_deliveries, std::int64_t more_bytes, const Options& options) {
    const std::lock_guard lock(mutex);
    if (deliveries > 0 && (deliveries + more_deliveries > options.max_deliveries ||
                           bytes + more_bytes > options.max_bytes)) {
      return false;
    }
    if (deliveries == 0) since = Clock::now();
    deliveries += more_deliveries;
    bytes += more_bytes;
    return true;
  }
  void Give(std::int64_t size, bool acknowledged) {
    const std::lock_guard lock(mutex);
    --deliveries;
    bytes -= size;
    if (acknowledged) since = Clock::now();
  }
  bool Stuck() {
    const std::lock_guard lock(mutex);
    return deliveries > 0 && Clock::now() - since > kPatience;
  }
};

struct Publisher::Request {
  std::mutex mutex;
  std::condition_variable answered;
  std::vector<Outcome> outcomes;
  std::size_t missing = 0;  // sent, not yet reported
  bool abandoned = false;   // its requester was told 503 and left
  bool failed = false;
  Answer::Kind kind = Answer::Kind::kBrokerUnavailable;  // when failed
};

Publisher::Publisher(Producer* producer, Options options, Observer observer)
    : producer_(producer),
      options_(std::move(options)),
      observer_(std::move(observer)),
      bounds_(std::make_shared<Bounds>()) {
  producer_->Warm(options_.topic);
}

std::string Publisher::WhyNot(const Delivery& delivery) {
  if (delivery.user_id.empty()) return "user_unresolved";
  // A vendor's own user may be linked to another of ours: then the consumer checks it.
  if (!delivery.bound_user.empty() && delivery.bound_user != delivery.user_id &&
      delivery.provider_user.empty()) {
    return "user_mismatch";
  }
  return "";
}

Answer Publisher::Submit(std::vector<Delivery> deliveries, Clock::time_point deadline) {
  const auto request = std::make_shared<Request>();
  request->outcomes.resize(deliveries.size());
  std::vector<std::pair<std::size_t, Record>> records;
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    Outcome& outcome = request->outcomes[i];
    outcome.event_id = ingest::EventId(deliveries[i]);
    std::string why_not = WhyNot(deliveries[i]);
    Record record;
    if (why_not.empty()) {
      record = Encode(deliveries[i], options_.format);
      if (record.value->size() > kMaxValue) why_not = "too_large";
    }
    if (!why_not.empty()) {
      outcome = ingest::Refuse(deliveries[i], why_not);
      continue;
    }
    outcome.status = "queued";  // said only when all of them are acknowledged
    record.topic = options_.topic;
    bytes += SizeOf(record);
    records.emplace_back(i, std::move(record));
  }
  if (records.empty()) return {Answer::Kind::kDone, std::move(request->outcomes)};

  // Those that wait for the broker are enough to find out that it is back.
  if (bounds_->Stuck() && producer_->away(nullptr)) {
    return {Answer::Kind::kBrokerUnavailable, {}};
  }
  if (!bounds_->Take(static_cast<std::int64_t>(records.size()), bytes, options_)) {
    return {Answer::Kind::kQueueFull, {}};
  }
  request->missing = records.size();
  for (const auto& [index, record] : records) Send(record, index, request);
  // librdkafka has a copy of each. Many requests wait here: they hold no more than they answer.
  records = {};
  std::vector<std::size_t> readings;
  readings.reserve(deliveries.size());
  for (const Delivery& delivery : deliveries) readings.push_back(delivery.readings.size());
  deliveries = {};

  std::unique_lock lock(request->mutex);
  request->answered.wait_until(lock, deadline,
                               [&] { return request->missing == 0 || request->failed; });
  request->abandoned = request->missing > 0;
  if (request->failed) return {request->kind, {}};
  if (!request->abandoned) {
    for (std::size_t i = 0; i < readings.size(); ++i) {
      Outcome& outcome = request->outcomes[i];
      if (!outcome.status.empty()) continue;
      outcome = ingest::Refuse(std::move(outcome.event_id), readings[i], "too_large");
    }
    return {Answer::Kind::kDone, std::move(request->outcomes)};
  }
  lock.unlock();
  return {producer_->away(nullptr) ? Answer::Kind::kBrokerUnavailable : Answer::Kind::kDeadline,
          {}};
}

void Publisher::Send(const Record& record, std::size_t index,
                     const std::shared_ptr<Request>& request) {
  const std::int64_t size = SizeOf(record);
  const std::string event_id = request->outcomes[index].event_id;
  const auto reported = [request, index, size, event_id, bounds = bounds_,
                         observer = observer_](const Producer::Report& report) {
    const bool acknowledged = report.kind == Producer::Report::Kind::kAcknowledged;
    if (observer) observer(acknowledged);
    bounds->Give(size, acknowledged);
    const std::lock_guard lock(request->mutex);
    --request->missing;
    if (!acknowledged) {
      if (!request->abandoned) {
        ops::log::Warn("kafka", "a record was not acknowledged",
                       {{"event_id", event_id}, {"error", report.error}});
      }
      if (report.too_large) {
        request->outcomes[index].status.clear();  // Submit rejects it
      } else {
        request->failed = true;
      }
    }
    if (request->missing == 0 || request->failed) request->answered.notify_all();
  };
  const Producer::Sent sent = producer_->Send(record, reported);
  if (sent == Producer::Sent::kQueued) return;
  bounds_->Give(size, false);
  const std::lock_guard lock(request->mutex);
  --request->missing;
  if (sent == Producer::Sent::kTooLarge) {
    request->outcomes[index].status.clear();
  } else if (!request->failed) {
    request->failed = true;
    if (sent == Producer::Sent::kQueueFull) request->kind = Answer::Kind::kQueueFull;
  }
}

std::int64_t Publisher::under_way() const {
  const std::lock_guard lock(bounds_->mutex);
  return bounds_->deliveries;
}

}  // namespace auren::kafka
