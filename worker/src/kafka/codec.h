// A Delivery as a record and back. JSON (docs/delivery.schema.json) or Protobuf
// (auren.v1.Delivery), told by the header content-type; none means JSON. CloudEvents 1.0 in binary
// mode around it.
#pragma once

#include <string>
#include <string_view>

#include "ingest/delivery.h"
#include "kafka/record.h"

namespace auren::kafka {

enum class Format { kJson, kProtobuf };

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kProtobufType = "application/protobuf";

// The record of a delivery; topic and partition are left to the caller. Key: user_id. Timestamp:
// received_at. Headers: ce_specversion, ce_id (the event id), ce_source
// (/auren/webhooks/<provider>), ce_type, ce_time, content-type, traceparent, and what only the
// consumer can check against the database: auren_provider_user and auren_bound_user, each left out
// when empty.
Record Encode(const ingest::Delivery& delivery, Format format);

// What a record says. A record that says nothing usable has a reason: malformed,
// unknown_content_type, empty_value or too_large, and a detail for people, without a byte of it.
struct Decoded {
  std::string json;                                 // one element of bridge.ingest_batch's argument
  std::string provider, provider_user, bound_user;  // from our own headers; else empty
  std::string reason, detail;
  bool ok() const { return reason.empty(); }
};

// `json` is sure to be valid for PostgreSQL: UTF-8, no NUL, no \u0000, at most 64 deep, one
// JSON document. What it is (an object, with the right members) is left to ingest_batch to say.
// A document without received_at takes the record's timestamp, if that is a time before the year
// 2262; traceparent comes from the header.
Decoded Decode(const Record& record);

// `json` with its user_id replaced. REQUIRES: `json` came from Decode and is an object.
void SetUser(std::string_view user_id, std::string* json);

// Whether `json` is an object, by its first byte that is no blank.
bool IsObject(std::string_view json);

}  // namespace auren::kafka
