// An event of the store as a record of the outbox: CloudEvents 1.0 in binary mode, by stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kafka/record.h"

namespace auren::kafka {

struct Event {
  std::int64_t position = 0, version = 0;
  std::string stream_id, event_id, event_type;
  std::string created_at;           // RFC 3339
  std::int64_t created_at_ms = 0;   // Unix time
  std::string traceparent;          // empty: none
  std::optional<std::string> data;  // event_data as text; nullopt: too large to be sent
};

// The most of an event's data that is published. With key, headers and Kafka's own around it a
// record stays below what a broker takes when nobody has set it up otherwise (1 MiB).
inline constexpr std::int64_t kMaxEventData = static_cast<std::int64_t>(kMaxValue) - 4096;

// Key: the stream. Timestamp: created_at. Without data: a null value and the header
// `auren_truncated: too_large`; whoever wants it asks PostgreSQL by the event's id.
Record ToRecord(const Event& event, const std::string& topic, const std::string& source);

// ce_source of a database: /auren/<name>, with what a URI cannot hold percent-encoded.
std::string EventSource(const std::string& database);

}  // namespace auren::kafka
