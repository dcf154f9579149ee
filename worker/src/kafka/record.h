// A Kafka record as the rest of the room sees it: bytes, and where they lie.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auren::kafka {

struct Header {
  std::string key;
  std::optional<std::string> value;  // nullopt: a null value, which Kafka tells from an empty one
};

struct Record {
  std::string topic;
  std::int32_t partition = -1;    // -1: by the key's murmur2
  std::int64_t offset = -1;       // -1: not known
  std::int64_t timestamp_ms = 0;  // Unix time; 0: none given
  std::optional<std::string> key, value;
  std::vector<Header> headers;

  // The last header of this name, compared by byte; empty: none, or a null value.
  std::string_view HeaderText(std::string_view name) const {
    for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
      if (header->key == name) return header->value ? std::string_view(*header->value) : "";
    }
    return {};
  }
};

// Bytes of its value, key and headers.
inline std::int64_t SizeOf(const Record& record) {
  std::size_t bytes =
      (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const Header& header : record.headers) {
    bytes += header.key.size() + (header.value ? header.value->size() : 0);
  }
  return static_cast<std::int64_t>(bytes);
}

// The most a record's value may hold, in bytes.
inline constexpr std::size_t kMaxValue = 1 << 20;

}  // namespace auren::kafka
