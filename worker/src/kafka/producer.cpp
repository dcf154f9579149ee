#include "kafka/producer.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "ops/log.h"

namespace auren::kafka {
namespace {

using Headers = std::unique_ptr<rd_kafka_headers_t, Deleter<rd_kafka_headers_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Deleter<rd_kafka_topic_destroy>>;

constexpr int kPollMs = 100;
constexpr std::chrono::seconds kRemake{1};  // between attempts to make a handle
constexpr std::chrono::seconds kPurge{
    5};  // what is purged is reported at once; never wait for good

Headers HeadersOf(const Record& record) {
  Headers headers(rd_kafka_headers_new(record.headers.size()));
  for (const Header& header : record.headers) {
    rd_kafka_header_add(headers.get(), header.key.data(), static_cast<ssize_t>(header.key.size()),
                        header.value ? header.value->data() : nullptr,
                        header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return headers;
}

Producer::Report ReportOf(const rd_kafka_message_t* message) {
  Producer::Report report;
  report.partition = message->partition;
  const rd_kafka_msg_status_t status = rd_kafka_message_status(message);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && status == RD_KAFKA_MSG_STATUS_PERSISTED) {
    report.kind = Producer::Report::Kind::kAcknowledged;
    report.offset = message->offset;
    return report;
  }
  report.kind = status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED ? Producer::Report::Kind::kNotStored
                                                            : Producer::Report::Kind::kUnknown;
  report.too_large = message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  report.error = rd_kafka_err2str(message->err);
  return report;
}

// Bounds are ours; the rest is a default, which the operator may have set otherwise.
std::map<std::string, std::string> MoreOf(const Settings& settings,
                                          const Producer::Options& options) {
  std::map<std::string, std::string> more = {
      {"linger.ms", std::to_string(options.linger_ms)},
      {"message.timeout.ms", std::to_string(options.timeout.count())},
      // How long a topic may be unknown before its records fail; the usual 30 s would outlast
      // whoever waits.
      {"topic.metadata.propagation.max.ms", "2000"}};
  for (const auto& [name, value] : settings.properties) {
    more.erase(name == "queue.buffering.max.ms" ? "linger.ms"
               : name == "delivery.timeout.ms"  ? "message.timeout.ms"
                                                : name);
  }
  more["queue.buffering.max.messages"] = std::to_string(options.queue_messages);
  more["queue.buffering.max.kbytes"] = std::to_string(options.queue_kilobytes);
  return more;
}

}  // namespace

class Producer::Impl {
 public:
  Impl(Settings settings, const Options& options)
      : settings_(std::move(settings)), more_(MoreOf(settings_, options)) {
    Remake();
    poller_ = std::thread([this] { Poll(); });
  }

  ~Impl() { Stop(std::chrono::milliseconds(0)); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Sent Send(const Record& record, Done done) {
    Headers headers = HeadersOf(record);
    auto opaque = std::make_unique<Done>(std::move(done));
    const std::shared_lock lock(handle_mutex_);
    if (stopping_ || !handle_) return Sent::kUnavailable;
    ++queued_;
    // A pointer of null is a null key or value, one to nothing an empty one. MSG_F_COPY: neither is
    // written to.
    void* const key = record.key ? const_cast<char*>(record.key->data()) : nullptr;
    void* const value = record.value ? const_cast<char*>(record.value->data()) : nullptr;
    const std::size_t key_size = record.key ? record.key->size() : 0;
    const std::size_t value_size = record.value ? record.value->size() : 0;
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        handle_.get(), RD_KAFKA_V_TOPIC(record.topic.c_str()),
        RD_KAFKA_V_PARTITION(record.partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE(value, value_size),
        RD_KAFKA_V_TIMESTAMP(record.timestamp_ms), RD_KAFKA_V_HEADERS(headers.get()),
        RD_KAFKA_V_OPAQUE(opaque.get()), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      (void)headers.release();  // the message's now
      (void)opaque.release();   // comes back with its report
      return Sent::kQueued;
    }
    // The headers stay ours when it fails.
    Uncount();
    switch (error) {
      case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return Sent::kQueueFull;
      case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return Sent::kTooLarge;
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return Sent::kNoTopic;
      default:  // _FATAL, until the poller has made another handle
        return Sent::kUnavailable;
    }
  }

  void Warm(const std::string& topic) {
    const std::unique_lock lock(handle_mutex_);
    if (!warm_.insert(topic).second || !handle_) return;
    Hold(topic);
  }

  void Stop(std::chrono::milliseconds patience) {
    const std::lock_guard once(stop_mutex_);
    if (!poller_.joinable()) return;
    {
      const std::unique_lock lock(handle_mutex_);
      stopping_ = true;
    }
    if (!AwaitReports(patience)) {
      {
        const std::shared_lock lock(handle_mutex_);
        if (handle_) Purge(handle_.get());
      }
      AwaitReports(kPurge);
    }
    {
      const std::lock_guard lock(state_mutex_);
      done_ = true;
    }
    drained_.notify_all();
    poller_.join();
    topics_.clear();
    handle_.reset();
  }

  bool away(std::string* why) const {
    const std::lock_guard lock(state_mutex_);
    if (away_ && why != nullptr) *why = why_;
    return away_;
  }

  std::int64_t queued() const { return queued_; }

 private:
  static void Purge(rd_kafka_t* handle) {
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }

  static void OnReport(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* opaque) {
    auto* self = static_cast<Impl*>(opaque);
    const std::unique_ptr<Done> done(static_cast<Done*>(message->_private));
    const Report report = ReportOf(message);
    if (report.kind == Report::Kind::kAcknowledged) self->SetAway(false, "");
    (*done)(report);
    self->Uncount();
  }

  static void OnError(rd_kafka_t* handle, int code, const char* reason, void* opaque) {
    auto* self = static_cast<Impl*>(opaque);
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
      char text[512] = "";
      const rd_kafka_resp_err_t original = rd_kafka_fatal_error(handle, text, sizeof text);
      ops::log::Error("kafka", "the producer failed for good and is made anew",
                      {{"code", rd_kafka_err2name(original)}, {"error", text}});
      self->fatal_ = true;
      return;
    }
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) self->SetAway(true, reason);
    ops::log::Debug("kafka", reason,
                    {{"code", rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(code))}});
  }

  // A callback of librdkafka may run before what it belongs to has returned.
  void Uncount() {
    if (--queued_ > 0) return;
    const std::lock_guard lock(state_mutex_);
    drained_.notify_all();
  }

  bool AwaitReports(std::chrono::milliseconds patience) {
    std::unique_lock lock(state_mutex_);
    return drained_.wait_for(lock, patience, [this] { return queued_ == 0; });
  }

  void SetAway(bool away, const std::string& why) {
    const std::lock_guard lock(state_mutex_);
    away_ = away;
    why_ = why;
  }

  // REQUIRES: handle_mutex_ is held alone. The handle then keeps asking for the topic's metadata.
  void Hold(const std::string& topic) {
    Topic held(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
    if (held) topics_.push_back(std::move(held));
  }

  void Remake() {
    std::string error;
    Handle handle;
    Conf conf = MakeConf(Kind::kProducer, settings_, more_, this, &error);
    if (conf) {
      rd_kafka_conf_set_dr_msg_cb(conf.get(), OnReport);
      rd_kafka_conf_set_error_cb(conf.get(), OnError);
      handle = MakeHandle(Kind::kProducer, std::move(conf), &error);
    }
    if (!handle) {
      SetAway(true, error);
      ops::log::Error("kafka", "no producer can be made", {{"error", error}});
      return;
    }
    const std::unique_lock lock(handle_mutex_);
    handle_ = std::move(handle);
    for (const std::string& topic : warm_) Hold(topic);
  }

  // What is under way is reported by the old handle, then there is a new one.
  void Replace() {
    fatal_ = false;
    Handle old;
    std::vector<Topic> topics;
    {
      const std::unique_lock lock(handle_mutex_);
      old = std::move(handle_);
      topics = std::move(topics_);
    }
    Purge(old.get());
    while (rd_kafka_outq_len(old.get()) > 0) rd_kafka_poll(old.get(), kPollMs);
    topics.clear();
    old.reset();
    if (!stopping_) Remake();
  }

  void Poll() {
    pthread_setname_np(pthread_self(), "kafka-producer");
    while (!done_) {
      if (!handle_) {  // only this thread changes it
        std::unique_lock lock(state_mutex_);
        drained_.wait_for(lock, kRemake, [this] { return done_.load(); });
        lock.unlock();
        if (!stopping_) Remake();
        continue;
      }
      rd_kafka_poll(handle_.get(), kPollMs);
      if (fatal_) Replace();
    }
  }

  const Settings settings_;
  const std::map<std::string, std::string> more_;

  // Held shared while a handle is used by a sender, alone while it is changed.
  mutable std::shared_mutex handle_mutex_;
  Handle handle_;
  std::set<std::string> warm_;
  std::vector<Topic> topics_;  // go before their handle

  mutable std::mutex state_mutex_;
  std::condition_variable drained_;  // nothing is under way, or the end
  bool away_ = false;
  std::string why_;

  std::atomic<std::int64_t> queued_{0};
  std::atomic<bool> stopping_{false}, done_{false}, fatal_{false};
  std::mutex stop_mutex_;
  std::thread poller_;
};

Producer::Producer(const Settings& settings, const Options& options)
    : impl_(std::make_unique<Impl>(settings, options)) {}
Producer::~Producer() = default;
Producer::Sent Producer::Send(const Record& record, Done done) {
  return impl_->Send(record, std::move(done));
}
void Producer::Warm(const std::string& topic) { impl_->Warm(topic); }
void Producer::Stop(std::chrono::milliseconds patience) { impl_->Stop(patience); }
bool Producer::away(std::string* why) const { return impl_->away(why); }
std::int64_t Producer::queued() const { return impl_->queued(); }

}  // namespace auren::kafka
