#include "kafka/codec_protobuf.h"

#include <auren/v1/delivery.pb.h>
#include <google/protobuf/stubs/logging.h>

#include <array>
#include <charconv>
#include <optional>

#include "ingest/json_document.h"
#include "ingest/json_text.h"

namespace auren::kafka {
namespace {

std::string ShortestOf(double number) {
  std::array<char, 40> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::string(text.data(), end) : std::string();
}

// The double whose shortest text is the token: no other may stand for it, or what comes out would
// not be what went in.
std::optional<double> AsDouble(std::string_view token) {
  double number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error != std::errc() || end != token.data() + token.size() || ShortestOf(number) != token) {
    return std::nullopt;
  }
  return number;
}

// What stands between the quotes, when nothing in it is escaped.
std::optional<std::string_view> AsState(std::string_view token) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
  const std::string_view text = token.substr(1, token.size() - 2);
  if (text.find_first_of("\\\"") != std::string_view::npos) return std::nullopt;
  return text;
}

void FillReading(const ingest::Reading& from, v1::Reading* to) {
  to->set_metric(from.metric);
  if (const auto number = AsDouble(from.value)) {
    to->set_number(*number);
  } else if (const auto state = AsState(from.value)) {
    to->set_state(std::string(*state));
  } else if (!from.value.empty()) {
    to->set_json(from.value);
  }
  to->set_start(from.start);
  to->set_end(from.end);
  to->set_unit(from.unit);
  to->set_statistic(from.statistic);
  to->set_context(from.context);
  to->set_source(from.source);
  to->set_external_id(from.external_id);
  for (const std::string& flag : from.flags) to->add_flags(flag);
  to->set_deleted(from.deleted);
}

// Takes what it needs out of `from`.
ingest::Reading ReadingOf(v1::Reading& from) {
  ingest::Reading to;
  to.metric = std::move(*from.mutable_metric());
  switch (from.value_case()) {
    case v1::Reading::kNumber:
      to.value = ShortestOf(from.number());
      break;
    case v1::Reading::kState:
      ingest::AppendJsonString(from.state(), &to.value);
      break;
    case v1::Reading::kJson:
      to.value = std::move(*from.mutable_json());
      break;
    case v1::Reading::VALUE_NOT_SET:
      break;
  }
  to.start = std::move(*from.mutable_start());
  to.end = std::move(*from.mutable_end());
  to.unit = std::move(*from.mutable_unit());
  to.statistic = std::move(*from.mutable_statistic());
  to.context = std::move(*from.mutable_context());
  to.source = std::move(*from.mutable_source());
  to.external_id = std::move(*from.mutable_external_id());
  for (std::string& flag : *from.mutable_flags()) to.flags.push_back(std::move(flag));
  to.deleted = from.deleted();
  return to;
}

// The library would write lines of its own to stderr, which is the log's.
void Silence() {
  static google::protobuf::LogHandler* const before = google::protobuf::SetLogHandler(nullptr);
  (void)before;
}

// By itself, lest it close the reading it stands in and open another.
bool IsOneDocument(std::string_view token) {
  thread_local ingest::JsonDocument document;
  std::string error;
  return document.Parse(token, &error);
}

}  // namespace

std::string ToProtobuf(const ingest::Delivery& delivery) {
  Silence();
  v1::Delivery message;
  message.set_source(delivery.source);
  message.set_delivery_id(delivery.delivery_id);
  message.set_user_id(delivery.user_id);
  message.set_event_type(delivery.event_type);
  message.set_received_at(delivery.received_at);
  message.set_trace_id(delivery.trace_id);
  message.set_key_name(delivery.key_name);
  for (const ingest::Reading& reading : delivery.readings) {
    FillReading(reading, message.add_readings());
  }
  return message.SerializeAsString();
}

bool JsonOfProtobuf(std::string_view bytes, std::string* json, std::string* error) {
  Silence();
  v1::Delivery message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    *error = "not an auren.v1.Delivery";
    return false;
  }
  ingest::Delivery delivery;
  delivery.source = std::move(*message.mutable_source());
  delivery.delivery_id = std::move(*message.mutable_delivery_id());
  delivery.user_id = std::move(*message.mutable_user_id());
  delivery.event_type = std::move(*message.mutable_event_type());
  delivery.received_at = std::move(*message.mutable_received_at());
  delivery.trace_id = std::move(*message.mutable_trace_id());
  delivery.key_name = std::move(*message.mutable_key_name());
  for (v1::Reading& reading : *message.mutable_readings()) {
    if (reading.has_json() && !IsOneDocument(reading.json())) {
      *error = "a reading's json is not JSON";
      return false;
    }
    delivery.readings.push_back(ReadingOf(reading));
  }
  *json = ingest::ToJson(delivery);
  return true;
}

}  // namespace auren::kafka
