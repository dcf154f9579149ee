#include "kafka/flight.h"

namespace auren::kafka {
namespace {

constexpr std::int64_t kOverhead = 200;  // what keeping one costs beside its bytes

}  // namespace

std::string Explain(const std::string& error, const std::string& topic) {
  for (const auto code : {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
                          RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART}) {
    if (error == rd_kafka_err2str(code)) return MissingTopic(topic);
  }
  return error;
}

Flight::Flight(std::shared_ptr<Bell> bell, std::int64_t room)
    : bell_(std::move(bell)), room_(room) {}

Producer::Sent Flight::Send(Producer* producer, const Record& record, std::int64_t position) {
  const std::int64_t bytes = SizeOf(record) + kOverhead;
  // Held while it is sent: a failure is known before the next record is given away, and the report
  // of this one finds it here, however soon it comes.
  const std::lock_guard lock(mutex_);
  if (failure_) return Producer::Sent::kUnavailable;
  const std::uint64_t ticket = first_ + entries_.size();
  const Producer::Sent sent =
      producer->Send(record, [self = shared_from_this(), ticket](const Producer::Report& report) {
        self->Report(ticket, report);
      });
  if (sent == Producer::Sent::kQueued) {
    entries_.push_back({position, bytes});
    ++unreported_;
    bytes_ += bytes;
  }
  return sent;
}

void Flight::Report(std::uint64_t ticket, const Producer::Report& report) {
  bool ring = false;
  {
    const std::lock_guard lock(mutex_);
    if (ticket < first_ || ticket - first_ >= entries_.size()) return;  // forgotten
    Entry& entry = entries_[ticket - first_];
    if (entry.fate != Fate::kUnreported) return;
    const bool acknowledged = report.kind == Producer::Report::Kind::kAcknowledged;
    entry.fate = acknowledged ? Fate::kAcknowledged : Fate::kFailed;
    if (!acknowledged && (!failure_ || entry.position < failure_->position)) {
      failure_ = {entry.position, report.too_large, report.error};
    }
    --unreported_;
    const bool was_full = bytes_ > room_ / 2;
    bytes_ -= entry.bytes;
    ring = unreported_ == 0 || !acknowledged || (was_full && bytes_ <= room_ / 2);
  }
  if (ring) bell_->Ring();
}

std::vector<std::int64_t> Flight::TakeAcknowledged() {
  std::vector<std::int64_t> positions;
  const std::lock_guard lock(mutex_);
  while (!entries_.empty() && entries_.front().fate == Fate::kAcknowledged) {
    positions.push_back(entries_.front().position);
    entries_.pop_front();
    ++first_;
  }
  return positions;
}

Flight::State Flight::state() const {
  const std::lock_guard lock(mutex_);
  return {entries_.size(), unreported_, bytes_, failure_};
}

void Flight::Clear() {
  const std::lock_guard lock(mutex_);
  first_ += entries_.size();
  entries_.clear();
  unreported_ = 0;
  bytes_ = 0;
  failure_.reset();
}

}  // namespace auren::kafka
