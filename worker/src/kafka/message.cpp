#include "kafka/message.h"

#include <optional>

namespace auren::kafka {

Record RecordOf(const rd_kafka_message_t& message, const std::string& topic) {
  Record record;
  record.topic = topic;
  record.partition = message.partition;
  record.offset = message.offset;
  record.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  const auto bytes = [](const void* data, std::size_t size) {
    return data == nullptr ? std::nullopt
                           : std::optional<std::string>({static_cast<const char*>(data), size});
  };
  record.key = bytes(message.key, message.key_len);
  record.value = bytes(message.payload, message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.headers.push_back({name, bytes(value, size)});
  }
  return record;
}

}  // namespace auren::kafka
