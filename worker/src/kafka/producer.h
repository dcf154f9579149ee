// An idempotent producer (acks=all), one for the process and any number of threads.
//
// A record is promised only by its Report. librdkafka's own timeouts come late (seconds after they
// were due, measured), so whoever waits keeps a deadline of its own. A fatal error of the
// idempotent producer (a sequence that no longer fits) is healed by a new handle: what was under
// way is reported kUnknown, and sending it again is safe because its event id tells.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kafka/client.h"
#include "kafka/record.h"

namespace auren::kafka {

class Producer {
 public:
  struct Report {
    enum class Kind {
      kAcknowledged,  // by all in-sync replicas
      kNotStored,     // for certain
      kUnknown,       // may have been stored
    };
    Kind kind = Kind::kUnknown;
    std::int32_t partition = -1;
    std::int64_t offset = -1;  // when acknowledged
    std::string error;         // otherwise
    bool too_large = false;    // the broker does not take records of this size
  };
  // Called once, from the producer's own thread; must not block.
  using Done = std::function<void(const Report&)>;

  enum class Sent {
    kQueued,     // `done` will be called
    kQueueFull,  // the byte or message bound is reached; `done` is not called, nor below
    kTooLarge,
    kNoTopic,      // the topic, or the partition, does not exist
    kUnavailable,  // being stopped, or the handle cannot be made
  };

  struct Options {
    int queue_messages = 100'000;
    int queue_kilobytes = 65'536;
    int linger_ms = 2;
    std::chrono::milliseconds timeout{30'000};  // message.timeout.ms
  };

  Producer(const Settings& settings, const Options& options);
  ~Producer();  // Stop(0)
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  Sent Send(const Record& record, Done done);

  // Asks for the topic's metadata, so that the first record does not wait for it.
  void Warm(const std::string& topic);

  // Waits for what is under way; what is left then is reported kUnknown. No Send afterwards.
  void Stop(std::chrono::milliseconds patience);

  // True while no broker could be reached since the last acknowledgement; `why` says it.
  bool away(std::string* why) const;
  std::int64_t queued() const;  // records not yet reported

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auren::kafka
