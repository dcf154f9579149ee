#include "bridge/delivery.h"

#include "biometrics/timestamp.h"
#include "events/names.h"
#include "postgres/uuid.h"
#include "postgres/values.h"

namespace auren::bridge {
namespace {

constexpr std::string_view kPrefix = "user:";
constexpr size_t kMaxSource = 63;        // bytes
constexpr size_t kMaxDeliveryId = 1024;  // bytes

// What describes the transport and not the delivery: it goes to the event's metadata, so that a
// delivery that comes again is the same one whenever and however it came.
constexpr std::string_view kMetadataKeys[] = {"received_at", "trace_id", "traceparent", "key_name"};

bool IsMetadataKey(std::string_view key) {
  for (const std::string_view name : kMetadataKeys) {
    if (key == name) return true;
  }
  return false;
}

bool IsSource(std::string_view source) {
  if (source.empty() || source.size() > kMaxSource || source[0] < 'a' || source[0] > 'z') {
    return false;
  }
  for (const char c : source) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

bool Printable(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

Problem ReadNames(const Jsonb* document, Delivery* delivery) {
  delivery->source = pg::TextMember(document, "source");
  if (delivery->source.empty()) {
    return {"wrong_shape", "source is missing or not a text"};
  }
  if (!IsSource(delivery->source)) {
    return {"invalid_name", "source is not of the form [a-z][a-z0-9_]*, at most 63 bytes"};
  }
  delivery->delivery_id = pg::TextMember(document, "delivery_id");
  if (delivery->delivery_id.empty()) {
    return {"wrong_shape", "delivery_id is missing or not a text"};
  }
  if (delivery->delivery_id.size() > kMaxDeliveryId || !Printable(delivery->delivery_id)) {
    return {"invalid_name", "delivery_id is over 1024 bytes or holds control characters"};
  }
  const std::string_view user = pg::TextMember(document, "user_id");
  if (user.empty()) return {"user_unresolved", "user_id is missing or not a text"};
  if (kPrefix.size() + user.size() > events::kMaxStreamId || !Printable(user)) {
    return {"invalid_name", "user_id is over 250 bytes or holds control characters"};
  }
  delivery->user_id = pg::Text(user);
  delivery->stream_id = pg::Text(psprintf("user:%.*s", static_cast<int>(user.size()), user.data()));
  return {};
}

// An element with a metric is a reading, whatever else is wrong with it.
bool IsReading(const JsonbValue& element) {
  JsonbValue metric;
  return pg::IsObject(element) && pg::Member(element.val.binary.data, "metric", &metric) &&
         metric.type == jbvString && metric.val.string.len > 0;
}

Problem ReadReadings(const Jsonb* document, Delivery* delivery) {
  JsonbValue readings;
  if (!pg::Member(document, "readings", &readings) || !pg::IsArray(readings)) {
    return {"wrong_shape", "readings is missing or not an array"};
  }
  delivery->readings = readings.val.binary.data;
  delivery->reading_count = static_cast<int>(JsonContainerSize(delivery->readings));
  if (delivery->reading_count == 0) return {"no_usable_reading", "readings is empty"};
  JsonbIterator* iterator = JsonbIteratorInit(const_cast<JsonbContainer*>(delivery->readings));
  JsonbValue item;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token == WJB_ELEM && IsReading(item)) return {};
  }
  return {"no_usable_reading", "nothing in readings is a reading: an object with a metric"};
}

// A missing time, or one that cannot be read, means now; a time to come is cut to now.
TimestampTz ReceivedAt(const Jsonb* document, TimestampTz now) {
  biometrics::Moment moment;
  if (!biometrics::ParseMoment(pg::TextMember(document, "received_at"), &moment)) return now;
  return Min(moment.microseconds, now);
}

Problem Read(const Jsonb* document, TimestampTz now, Delivery* delivery) {
  if (document == nullptr) return {"malformed", "the delivery is null"};
  if (!JB_ROOT_IS_OBJECT(document)) return {"wrong_shape", "the delivery is not an object"};
  delivery->document = document;
  Problem problem = ReadNames(document, delivery);
  if (problem.code == nullptr) problem = ReadReadings(document, delivery);
  delivery->received_at = ReceivedAt(document, now);
  return problem;
}

}  // namespace

void ReadDelivery(const Jsonb* document, TimestampTz now, Delivery* delivery) {
  *delivery = Delivery{};
  delivery->problem = Read(document, now, delivery);
  if (delivery->problem.code == nullptr) {
    delivery->event_id = pg::DeliveryEventId(delivery->source, delivery->delivery_id);
  }
}

Jsonb* EventData(const Delivery& delivery, const Jsonb* refused) {
  pg::JsonbBuilder json;
  json.BeginObject();
  JsonbIterator* iterator =
      JsonbIteratorInit(const_cast<JsonbContainer*>(&delivery.document->root));
  JsonbValue item;
  std::string_view key;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token == WJB_KEY) {
      key = pg::View(item);
    } else if (token == WJB_VALUE && key != "refused" && !IsMetadataKey(key)) {
      json.Key(key);
      json.Value(item);
    }
  }
  if (refused != nullptr) {
    json.Key("refused");
    json.Document(refused);
  }
  json.EndObject();
  return json.Finish();
}

Jsonb* EventMetadata(const Delivery& delivery, double quality, int64 config_version) {
  pg::JsonbBuilder json;
  json.BeginObject();
  json.Key("received_at");
  json.Timestamp(delivery.received_at);
  json.Add("quality", quality);
  json.Add("config_version", config_version);
  for (const std::string_view key : kMetadataKeys) {
    JsonbValue value;
    if (key == "received_at" || !pg::Member(delivery.document, key, &value)) continue;
    json.Key(key);
    json.Value(value);
  }
  json.EndObject();
  return json.Finish();
}

}  // namespace auren::bridge
