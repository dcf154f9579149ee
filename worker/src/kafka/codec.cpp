#include "kafka/codec.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <random>

#include "ingest/json_document.h"
#include "ingest/json_text.h"
#include "kafka/codec_protobuf.h"
#include "ops/clock.h"

namespace auren::kafka {
namespace {

constexpr std::string_view kSourcePrefix = "/auren/webhooks/";
constexpr std::string_view kType = "auren.delivery.v1";
constexpr std::string_view kBlanks = " \t\r\n";
// The last that a clock counting nanoseconds can say, in the year 2262.
constexpr std::int64_t kMaxMs = std::numeric_limits<std::int64_t>::max() / 1'000'000;
constexpr std::size_t kTraceparentSize = 55;  // 00-<32 hex>-<16 hex>-<2 hex>

// Of a time as ops::Rfc3339 writes it; 0 for anything else.
std::int64_t Milliseconds(const std::string& text) {
  std::tm utc{};
  int ms = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ",  // NOLINT(cert-err34-c)
                  &utc.tm_year, &utc.tm_mon, &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec,
                  &ms) != 7) {
    return 0;
  }
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  return std::int64_t{timegm(&utc)} * 1000 + ms;
}

bool IsTraceId(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The trace of the request, with a span of this record.
std::string Traceparent(std::string_view trace_id) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  constexpr char kHex[] = "0123456789abcdef";
  std::string text("00-");
  text.append(trace_id).push_back('-');
  std::uint64_t span = random() | 1;  // all zeros would be invalid
  for (int i = 0; i < 16; ++i, span >>= 4) text.push_back(kHex[span & 0xf]);
  return text.append("-01");
}

bool IsTraceparent(std::string_view text) {
  return text.size() == kTraceparentSize &&
         text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

enum class Content { kJson, kProtobuf, kCloudEvent, kUnknown };

Content ContentOf(std::string_view type) {
  std::string name(type.substr(0, type.find(';')));
  name.erase(name.find_last_not_of(kBlanks) + 1);
  name.erase(0, name.find_first_not_of(kBlanks));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (name.starts_with("application/cloudevents")) return Content::kCloudEvent;
  if (name.empty() || name == kJsonType || name.ends_with("+json")) return Content::kJson;
  if (name == kProtobufType || name == "application/x-protobuf" ||
      name == "application/vnd.google.protobuf") {
    return Content::kProtobuf;
  }
  return Content::kUnknown;
}

Decoded Unusable(const char* reason, std::string detail) {
  Decoded decoded;
  decoded.reason = reason;
  decoded.detail = std::move(detail);
  return decoded;
}

// `text` with defaults for members it may lack. jsonb keeps the last of equal keys, so what stands
// before the document's own members gives way to them.
std::string WithDefaults(std::string_view text, const Record& record) {
  const std::size_t open = text.find_first_not_of(kBlanks);
  const std::string_view rest = text.substr(open + 1);
  std::string out;
  out.reserve(text.size() + 160);
  out.push_back('{');
  // Brokers take any number; one out of range, as microseconds make it, says nothing.
  if (record.timestamp_ms > 0 && record.timestamp_ms <= kMaxMs) {
    out.append("\"received_at\":\"").append(ops::Rfc3339(record.timestamp_ms)).append("\",");
  }
  if (const auto trace = record.HeaderText("traceparent"); IsTraceparent(trace)) {
    out.append("\"traceparent\":\"").append(trace).append("\",");
  }
  if (out.back() == ',' && rest[rest.find_first_not_of(kBlanks)] == '}') out.pop_back();
  return out.append(rest);
}

// Headers become text parameters of a query.
bool IsText(std::string_view text) {
  return text.find('\0') == std::string_view::npos &&
         simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace

Record Encode(const ingest::Delivery& delivery, Format format) {
  Record record;
  if (!delivery.user_id.empty()) record.key = delivery.user_id;
  record.value = format == Format::kJson ? ingest::ToJson(delivery) : ToProtobuf(delivery);
  record.timestamp_ms = Milliseconds(delivery.received_at);

  const auto header = [&](const char* name, std::string value) {
    if (!value.empty()) record.headers.push_back({name, std::move(value)});
  };
  const std::string& provider = delivery.provider.empty() ? delivery.source : delivery.provider;
  record.headers.reserve(9);
  header("ce_specversion", "1.0");
  header("ce_id", ingest::EventId(delivery.source, delivery.delivery_id));
  header("ce_source", std::string(kSourcePrefix) + provider);
  header("ce_type", std::string(kType));
  header("ce_time", delivery.received_at);
  header("content-type", std::string(format == Format::kJson ? kJsonType : kProtobufType));
  if (IsTraceId(delivery.trace_id)) header("traceparent", Traceparent(delivery.trace_id));
  header("auren_provider_user", delivery.provider_user);
  header("auren_bound_user", delivery.bound_user);
  return record;
}

Decoded Decode(const Record& record) {
  if (!record.value) return Unusable("empty_value", "the value is null");
  const std::string& value = *record.value;
  if (value.size() > kMaxValue) {
    return Unusable("too_large", std::to_string(value.size()) + " bytes, at most " +
                                     std::to_string(kMaxValue) + " are taken");
  }
  const Content content = ContentOf(record.HeaderText("content-type"));
  if (content == Content::kCloudEvent) {
    return Unusable("unknown_content_type",
                    "a structured CloudEvent; only the binary mode is understood: attributes in"
                    " ce_ headers, the delivery as value");
  }
  if (content == Content::kUnknown) {
    return Unusable("unknown_content_type",
                    "content-type is neither JSON nor " + std::string(kProtobufType));
  }
  if (value.empty()) return Unusable("malformed", "the value is empty");

  Decoded decoded;
  std::string made;
  std::string_view text = value;
  if (content == Content::kProtobuf) {
    if (!JsonOfProtobuf(value, &made, &decoded.detail)) {
      return Unusable("malformed", decoded.detail);
    }
    text = made;
  }
  thread_local ingest::JsonDocument document;
  if (!document.Parse(text, &decoded.detail)) return Unusable("malformed", decoded.detail);

  const std::string_view source = record.HeaderText("ce_source");
  if (source.starts_with(kSourcePrefix)) decoded.provider = source.substr(kSourcePrefix.size());
  decoded.provider_user = record.HeaderText("auren_provider_user");
  decoded.bound_user = record.HeaderText("auren_bound_user");
  if (!IsText(decoded.provider) || !IsText(decoded.provider_user) || !IsText(decoded.bound_user)) {
    return Unusable("malformed", "a header is not UTF-8 or holds a NUL byte");
  }
  decoded.json = document.root().is_object() ? WithDefaults(text, record) : std::string(text);
  return decoded;
}

void SetUser(std::string_view user_id, std::string* json) {
  json->erase(json->rfind('}'));
  const std::size_t last = json->find_last_not_of(kBlanks);
  if ((*json)[last] != '{') json->push_back(',');
  json->append("\"user_id\":");
  ingest::AppendJsonString(user_id, json);
  json->push_back('}');
}

bool IsObject(std::string_view json) {
  const std::size_t first = json.find_first_not_of(kBlanks);
  return first != std::string_view::npos && json[first] == '{';
}

}  // namespace auren::kafka
