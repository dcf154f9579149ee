#include "biometrics/reading.h"

#include "biometrics/reading_members.h"
#include "biometrics/timestamp.h"
#include "postgres/values.h"

namespace auren::biometrics {
namespace {

constexpr size_t kMaxText = 255;  // bytes of a reading's source, external_id or flag
constexpr int kMaxFlags = 32;
constexpr int64 kMaxAhead = 24;     // hours a start may lie ahead of the server
constexpr int64 kMaxEndAhead = 48;  // hours for an end: a day's summary ends with the day

constexpr const char* kRefusals[] = {"",
                                     "malformed",
                                     "unknown_metric",
                                     "not_a_number",
                                     "not_a_state",
                                     "unit_mismatch",
                                     "hard_range",
                                     "invalid_timestamp",
                                     "future_timestamp"};
constexpr const char* kAnomalyNames[] = {"hard_range", "soft_range",     "z_score",
                                         "future",     "unknown_metric", "unmapped_state"};

constexpr const char* kSeverities[] = {"high", "medium", "medium", "high", "low", "low"};
static_assert(lengthof(kAnomalyNames) == kAnomalies && lengthof(kSeverities) == kAnomalies);

// A refusal with its sentence; false, for `return Refuse(...)`.
bool Refuse(Reading* reading, Refusal refusal, const char* detail) {
  reading->refusal = refusal;
  reading->detail = detail;
  return false;
}

bool Printable(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

// An optional text: absent, null and "" alike are empty. False when it is something else.
bool TextMember(const ReadingMembers& members, Member member, std::string_view* text) {
  *text = {};
  const JsonbValue* value = members.Find(member);
  if (value == nullptr) return true;
  if (value->type != jbvString) return false;
  *text = pg::View(*value);
  return text->size() <= kMaxText && Printable(*text);
}

bool BoolMember(const ReadingMembers& members, Member member, bool absent, bool* boolean) {
  *boolean = absent;
  const JsonbValue* value = members.Find(member);
  if (value == nullptr) return true;
  if (value->type != jbvBool) return false;
  *boolean = value->val.boolean;
  return true;
}

bool ReadFlags(const ReadingMembers& members, Reading* reading) {
  const JsonbValue* value = members.Find(Member::kFlags);
  if (value == nullptr) return true;
  if (!pg::IsArray(*value)) return false;
  const JsonbContainer* list = value->val.binary.data;
  const int count = static_cast<int>(JsonContainerSize(list));
  if (count > kMaxFlags) return false;
  // One more: the check itself may add one.
  reading->flags = static_cast<std::string_view*>(palloc(sizeof(std::string_view) * (count + 1)));
  for (int i = 0; i < count; i++) {
    const JsonbValue* flag = getIthJsonbValueFromContainer(const_cast<JsonbContainer*>(list), i);
    if (flag->type != jbvString) return false;
    const std::string_view name = pg::View(*flag);
    if (name.empty() || name.size() > kMaxText || !Printable(name)) return false;
    reading->flags[reading->flag_count++] = name;
    if (name == "pending" || name == "calibrating") reading->unsettled = true;
    if (name == "unmapped_state") reading->Add(Anomaly::kUnmappedState);
  }
  return true;
}

bool ReadMoment(const ReadingMembers& members, Member member, bool* present, Moment* moment) {
  const JsonbValue* value = members.Find(member);
  *present = value != nullptr;
  return !*present || (value->type == jbvString && ParseMoment(pg::View(*value), moment));
}

bool ReadTimes(const ReadingMembers& members, TimestampTz now, Reading* reading) {
  Moment start, end;
  if (!ReadMoment(members, Member::kStart, &reading->has_start, &start)) {
    return Refuse(reading, Refusal::kInvalidTimestamp, "start is not an RFC 3339 timestamp");
  }
  if (!ReadMoment(members, Member::kEnd, &reading->has_end, &end)) {
    return Refuse(reading, Refusal::kInvalidTimestamp, "end is not an RFC 3339 timestamp");
  }
  if (!reading->has_start) {
    // A whole document goes without its times.
    if (reading->deleted && !reading->external_id.empty()) return true;
    return Refuse(reading, Refusal::kInvalidTimestamp, "start is missing");
  }
  if (!reading->has_end) end = start;
  if (end.microseconds < start.microseconds) {
    return Refuse(reading, Refusal::kInvalidTimestamp, "end lies before start");
  }
  reading->start = start.microseconds;
  reading->end = end.microseconds;
  reading->has_zone = end.has_zone || start.has_zone;
  reading->zone_offset = end.has_zone ? end.zone_offset : start.zone_offset;
  if (reading->start > now + kMaxAhead * USECS_PER_HOUR ||
      reading->end > now + kMaxEndAhead * USECS_PER_HOUR) {
    reading->Add(Anomaly::kFuture);
    return Refuse(reading, Refusal::kFutureTimestamp,
                  "start lies more than 24 hours ahead of the server, or end more than 48");
  }
  return true;
}

bool ReadState(const JsonbValue& value, Reading* reading) {
  if (value.type != jbvString || value.val.string.len == 0) {
    return Refuse(reading, Refusal::kNotAState, "the metric's value is a word");
  }
  reading->state = pg::View(value);
  for (int i = 0; i < reading->metric->state_count; i++) {
    if (reading->metric->states[i] == reading->state) return true;
  }
  // Kept under a name that says so; the event has the word as sent.
  reading->state = "unknown";
  if (!reading->Has(Anomaly::kUnmappedState)) {
    if (reading->flags == nullptr) {
      reading->flags = static_cast<std::string_view*>(palloc(sizeof(std::string_view)));
    }
    reading->flags[reading->flag_count++] = "unmapped_state";
    reading->Add(Anomaly::kUnmappedState);
  }
  return true;
}

// What is summed up over a day or a session may be more than one sample can.
const core::Range& RangeFor(const MetricType& metric, core::Statistic statistic) {
  switch (statistic) {
    case core::Statistic::kSum:
    case core::Statistic::kDaily:
    case core::Statistic::kSessionSum:
      return metric.sum_range;
    default:
      return metric.range;
  }
}

bool ReadNumber(const Catalogue& catalogue, const JsonbValue& value, std::string_view unit,
                Reading* reading) {
  if (value.type != jbvNumeric) {
    return Refuse(reading, Refusal::kNotANumber, "the metric's value is a number");
  }
  const MetricType& metric = *reading->metric;
  reading->value = pg::Double(value);
  if (!ConvertUnit(catalogue, metric, unit, &reading->value)) {
    return Refuse(reading, Refusal::kUnitMismatch,
                  psprintf("the metric is kept in %.*s and does not come in \"%.*s\"",
                           static_cast<int>(metric.unit.size()), metric.unit.data(),
                           static_cast<int>(unit.size()), unit.data()));
  }
  const core::Range& range = RangeFor(metric, reading->statistic);
  switch (core::CheckRange(range, reading->value)) {
    case core::RangeVerdict::kInside:
      return true;
    case core::RangeVerdict::kSoftLow:
    case core::RangeVerdict::kSoftHigh:
      reading->Add(Anomaly::kSoftRange);
      return true;
    case core::RangeVerdict::kHardLow:
      reading->Add(Anomaly::kHardRange);
      return Refuse(
          reading, Refusal::kHardRange,
          psprintf("%g is below %g, the least this metric can be", reading->value, range.hard_min));
    case core::RangeVerdict::kHardHigh:
      reading->Add(Anomaly::kHardRange);
      return Refuse(
          reading, Refusal::kHardRange,
          psprintf("%g is above %g, the most this metric can be", reading->value, range.hard_max));
    case core::RangeVerdict::kNotFinite:
      break;
  }
  return Refuse(reading, Refusal::kNotANumber, "the value is too large for a double");
}

bool ReadValue(const Catalogue& catalogue, const ReadingMembers& members, std::string_view unit,
               Reading* reading) {
  const JsonbValue* value = members.At(Member::kValue);
  if (value == nullptr) return Refuse(reading, Refusal::kMalformed, "value is missing");
  return reading->metric->is_state ? ReadState(*value, reading)
                                   : ReadNumber(catalogue, *value, unit, reading);
}

// The checks in order; the first that fails names the refusal.
bool CheckMembers(const Catalogue& catalogue, const ReadingMembers& members, TimestampTz now,
                  Reading* reading) {
  bool mapped;
  if (!BoolMember(members, Member::kMapped, true, &mapped) ||
      !BoolMember(members, Member::kDeleted, false, &reading->deleted)) {
    return Refuse(reading, Refusal::kMalformed, "deleted is not true or false");
  }
  reading->metric = mapped ? FindMetric(catalogue, reading->metric_name) : nullptr;
  if (reading->metric == nullptr) {
    reading->Add(Anomaly::kUnknownMetric);
    return Refuse(reading, Refusal::kUnknownMetric, "the metric is not in biometrics.metric_types");
  }
  std::string_view unit;
  if (!TextMember(members, Member::kUnit, &unit) ||
      !TextMember(members, Member::kSource, &reading->source) ||
      !TextMember(members, Member::kExternalId, &reading->external_id) ||
      !TextMember(members, Member::kStatistic, &reading->statistic_name) ||
      !TextMember(members, Member::kContext, &reading->context_name)) {
    return Refuse(reading, Refusal::kMalformed,
                  "unit, source, external_id, statistic and context are texts of up to 255 bytes "
                  "without control characters");
  }
  if (!reading->statistic_name.empty() &&
      !core::ParseStatistic(reading->statistic_name, &reading->statistic)) {
    return Refuse(reading, Refusal::kMalformed, "statistic is none of the known ones");
  }
  if (!reading->context_name.empty() &&
      !core::ParseContext(reading->context_name, &reading->context)) {
    return Refuse(reading, Refusal::kMalformed, "context is none of the known ones");
  }
  if (!ReadFlags(members, reading)) {
    return Refuse(reading, Refusal::kMalformed, "flags is not a list of up to 32 texts");
  }
  if (!ReadTimes(members, now, reading)) return false;
  return reading->deleted || ReadValue(catalogue, members, unit, reading);
}

}  // namespace

const char* Name(Refusal refusal) { return kRefusals[static_cast<int>(refusal)]; }
const char* Name(Anomaly anomaly) { return kAnomalyNames[static_cast<int>(anomaly)]; }
const char* Severity(Anomaly anomaly) { return kSeverities[static_cast<int>(anomaly)]; }

bool ReadReading(const Catalogue& catalogue, const JsonbValue& sent, int index, TimestampTz now,
                 Reading* reading) {
  *reading = Reading{};
  reading->index = index;
  if (!pg::IsObject(sent)) {
    return Refuse(reading, Refusal::kMalformed, "a reading is an object");
  }
  const ReadingMembers members(sent.val.binary.data);
  const JsonbValue* metric = members.Find(Member::kMetric);
  if (metric == nullptr || metric->type != jbvString || metric->val.string.len == 0) {
    return Refuse(reading, Refusal::kMalformed, "metric is missing or not a text");
  }
  reading->metric_name = pg::View(*metric);
  CheckMembers(catalogue, members, now, reading);
  return true;
}

}  // namespace auren::biometrics
