// A Delivery: what every provider's bytes are turned into, and all that the rest of the worker
// knows of them. It becomes one `biometric_received` event. Its JSON form is
// docs/delivery.schema.json, the argument of bridge.ingest_batch and the value of a Kafka record
// alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace auren::ingest {

struct Reading {
  std::string metric;  // canonical name, or the vendor's own when it is not known to us
  std::string value;   // one JSON token as text: a number, a "quoted" state, or whatever was sent
  std::string unit;    // UCUM; empty: none given
  std::string start;   // RFC 3339 with the offset as written; empty: none given
  std::string end;     // the same, or empty
  std::string statistic;    // instant, avg, ...; empty: none
  std::string context;      // rest, sleep, ...; empty: none
  std::string source;       // app or device
  std::string external_id;  // the vendor document it belongs to
  std::vector<std::string> flags;
  bool deleted = false;
  bool mapped = true;  // false: no metric of ours; kept in the event, refused as unknown_metric
};

struct Delivery {
  std::string source;  // [a-z][a-z0-9_]*: the provider, or the device file's device_type
  std::string delivery_id;
  std::string user_id;
  std::string event_type;     // the provider's word, for metrics; may be empty
  std::string received_at;    // RFC 3339 UTC
  std::string provider_user;  // the vendor's id of the person, when the payload carries one
  std::string trace_id;       // to the event's metadata
  std::string key_name;       // name of the API key, to the event's metadata
  // Filled in by the webhook flow, for bridge.connections and the bound key's check; not in the
  // JSON.
  std::string provider;    // whose route it came by
  std::string bound_user;  // the user the API key is bound to, or empty
  std::vector<Reading> readings;
};

// The delivery as JSON text, keys in a fixed order, absent ones left out.
std::string ToJson(const Delivery& delivery);

// UUIDv5 in namespace 334c9f40-9714-586f-adfd-1aa731602170 over source + "/" + delivery_id, in
// lower case. Known answer: ("healthkit", "d-1") gives 42a6b6de-29f1-528e-86c4-cc9509bfb5a3.
std::string EventId(std::string_view source, std::string_view delivery_id);
inline std::string EventId(const Delivery& delivery) {
  return EventId(delivery.source, delivery.delivery_id);
}

}  // namespace auren::ingest
