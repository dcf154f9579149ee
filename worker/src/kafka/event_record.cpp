#include "kafka/event_record.h"

#include <array>
#include <string_view>

#include "kafka/flight.h"

namespace auren::kafka {

Record ToRecord(const Event& event, const std::string& topic, const std::string& source) {
  Record record;
  record.topic = topic;
  record.timestamp_ms = event.created_at_ms;
  record.key = event.stream_id;
  record.value = event.data;
  record.headers = {{"ce_specversion", "1.0"},
                    {"ce_id", event.event_id},
                    {"ce_source", source},
                    {"ce_type", event.event_type},
                    {"ce_subject", event.stream_id},
                    {"ce_time", event.created_at},
                    {"ce_streamversion", std::to_string(event.version)},
                    {"ce_position", std::to_string(event.position)},
                    {"content-type", "application/json"}};
  if (!event.traceparent.empty()) record.headers.push_back({"traceparent", event.traceparent});
  if (!event.data) record.headers.push_back({kTruncatedHeader, "too_large"});
  return record;
}

std::string EventSource(const std::string& database) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string source = "/auren/";
  for (const char c : database) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      source += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      source += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return source;
}

}  // namespace auren::kafka
