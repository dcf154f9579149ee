#include "devices/mapping.h"

#include <algorithm>
#include <cmath>

#include "devices/timestamp.h"

namespace auren::devices {
namespace {

using ingest::Reading;

void AddFlag(std::string_view flag, Reading* reading) {
  if (std::find(reading->flags.begin(), reading->flags.end(), flag) == reading->flags.end()) {
    reading->flags.emplace_back(flag);
  }
}

std::optional<Timestamp> AsTimestamp(Json element) {
  std::int64_t whole = 0;
  double number = 0;
  std::string_view text;
  if (element.get(whole) == simdjson::SUCCESS) return FromEpoch(whole);
  if (element.get(number) == simdjson::SUCCESS) return FromEpoch(number);
  if (element.get(text) == simdjson::SUCCESS) return ParseTimestamp(text);
  return std::nullopt;
}

// What a person can still read of a time that is none.
std::string AsSent(Json element) { return AsText(element).value_or(Token(element)); }

const std::string& First(const std::string& a, const std::string& b) { return a.empty() ? b : a; }
const Pointers& First(const Pointers& a, const Pointers& b) { return a.empty() ? b : a; }

// Maps the rows of one rule.
class RuleMapper {
 public:
  RuleMapper(const Vocabulary& vocabulary, const ReadingRule& rule, std::vector<Reading>* readings)
      : vocabulary_(vocabulary), rule_(rule), readings_(readings) {}

  void MapElement(Json element) {
    name_ = rule_.metric.empty() ? FindText(element, rule_.metric_from).value_or("") : rule_.metric;
    unit_ = FindText(element, rule_.unit_from).value_or("");
    SelectValues();
    if (rule_.rows_from.empty()) return MapRow(element);
    const std::optional<Json> rows = Find(element, rule_.rows_from);
    simdjson::dom::array array;
    if (!rows || rows->get(array) != simdjson::SUCCESS) return KeepAsSent(element);
    for (const Json row : array) MapRow(row);
  }

 private:
  // Rules with `for` speak for that name alone; the others for every name that none speaks for.
  void SelectValues() {
    values_.clear();
    const std::string folded = Fold(name_);
    for (const bool own : {true, false}) {
      for (const ValueRule& value : rule_.values) {
        if (own ? !value.for_name.empty() && value.for_name == folded : value.for_name.empty()) {
          values_.push_back(&value);
        }
      }
      if (!values_.empty()) return;
    }
  }

  void MapRow(Json row) {
    bool found = false;
    for (const ValueRule* value : values_) {
      const std::optional<Json> element = Find(row, value->value_from);
      if (!element) continue;
      found = MapValue(*value, row, *element) || found;
    }
    // A rule without a list names members that may be missing; a listed row is there to be kept.
    if (!found && !rule_.list_from.empty()) KeepAsSent(row);
  }

  bool MapValue(const ValueRule& value, Json row, Json element) {
    Reading reading = Common(value, row);
    const Metric* metric = vocabulary_.Find(First(value.metric, name_));
    if (metric == nullptr) {
      reading.metric = name_;
      reading.value = Token(element);
      reading.unit = unit_;
      reading.mapped = false;
      reading.statistic = value.statistic;
    } else {
      reading.metric = metric->name;
      reading.statistic = First(value.statistic, First(metric->statistic, rule_.statistic));
      if (reading.context.empty()) reading.context = metric->context;
      if (metric->state) {
        SetState(element, &reading);
      } else if (!SetNumber(value, *metric, row, element, &reading)) {
        return false;
      }
    }
    readings_->push_back(std::move(reading));
    return true;
  }

  void SetState(Json element, Reading* reading) {
    reading->unit = "{state}";
    const std::optional<std::string> word = AsText(element);
    if (!word) {
      reading->value = Token(element);
      return;
    }
    const auto found = vocabulary_.states.find(Fold(*word));
    if (found == vocabulary_.states.end()) AddFlag("unmapped_state", reading);
    reading->value = QuotedToken(found == vocabulary_.states.end() ? "unknown" : found->second);
  }

  // False when a derived value cannot be made: its divisor is missing or 0.
  bool SetNumber(const ValueRule& value, const Metric& metric, Json row, Json element,
                 Reading* reading) {
    reading->unit = metric.unit;
    const std::optional<double> sent = AsNumber(element);
    if (!sent) {
      reading->value = Token(element);
      return true;
    }
    double number = *sent;
    if (!value.divided_by_from.empty()) {
      const std::optional<Json> divisor = Find(row, value.divided_by_from);
      const double by = divisor ? AsNumber(*divisor).value_or(0) : 0;
      if (by == 0) return false;
      number /= by;
    }
    number *= value.times;
    std::string unit = CanonicalUnit(First(value.unit, First(unit_, rule_.unit)));
    if (unit.empty()) {
      unit = metric.infer == Infer::kNothing ? metric.unit
                                             : std::string(InferUnit(metric.infer, number));
      if (metric.infer == Infer::kTemperature || unit != metric.unit)
        AddFlag("unit_inferred", reading);
    } else if (unit == "%" && metric.infer == Infer::kFraction) {
      unit = InferUnit(metric.infer, number);  // Apple calls a fraction of 1 "%"
    }
    const std::optional<double> converted = Convert(number, unit, metric.unit);
    if (!converted) {
      reading->unit = unit;  // as sent: not ours to guess
      AddFlag("unit_unknown", reading);
    }
    number = converted.value_or(number);
    reading->value = number == *sent ? Token(element) : Token(number);
    return true;
  }

  // All but metric, value, unit and statistic.
  Reading Common(const ValueRule& value, Json row) {
    Reading reading;
    reading.flags = rule_.flags;
    for (const std::string& flag : value.flags) AddFlag(flag, &reading);
    reading.source = FindText(row, rule_.source_from).value_or(rule_.source);
    reading.external_id = FindText(row, rule_.external_id_from).value_or("");
    reading.context = First(value.context, Context(row));
    if (reading.context.empty()) reading.context = rule_.context;
    SetTimes(First(value.start_from, rule_.start_from), First(value.end_from, rule_.end_from), row,
             &reading);
    return reading;
  }

  std::string Context(Json row) {
    const std::optional<std::string> word = FindText(row, rule_.context_from);
    if (!word || word->empty()) return "";
    const auto found = vocabulary_.contexts.find(Fold(*word));
    return found == vocabulary_.contexts.end() ? "unknown" : found->second;
  }

  void SetTimes(const Pointers& start_from, const Pointers& end_from, Json row, Reading* reading) {
    const std::optional<Json> start = Find(row, start_from), end = Find(row, end_from);
    std::optional<Timestamp> start_time;
    if (start) {
      start_time = AsTimestamp(*start);
      reading->start = start_time ? ToRfc3339(*start_time) : AsSent(*start);
    }
    std::optional<Timestamp> end_time;
    if (end) {
      end_time = AsTimestamp(*end);
      reading->end = end_time ? ToRfc3339(*end_time) : AsSent(*end);
    } else if (start_time) {
      end_time = start_time;
      end_time->micros += static_cast<std::int64_t>(std::llround(rule_.span_seconds * 1e6));
      reading->end = ToRfc3339(*end_time);
    }
    const bool naive = (start_time && start_time->naive) || (end_time && end_time->naive);
    if (naive && !rule_.zone_utc) AddFlag("assumed_utc", reading);
  }

  // What no rule understands: the whole of it is the value.
  void KeepAsSent(Json row) {
    Reading reading = Common(ValueRule{}, row);
    const Metric* metric = vocabulary_.Find(name_);
    reading.metric = metric != nullptr ? metric->name : name_;
    reading.value = Token(row);
    reading.unit = unit_;
    reading.mapped = false;
    readings_->push_back(std::move(reading));
  }

  const Vocabulary& vocabulary_;
  const ReadingRule& rule_;
  std::vector<Reading>* readings_;
  std::string name_, unit_;  // of the element at hand, as sent
  std::vector<const ValueRule*> values_;
};

}  // namespace

std::string Fold(std::string_view word) {
  std::string folded;
  folded.reserve(word.size());
  for (const char c : word) {
    if (c == ' ' || c == '_' || c == '-') continue;
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return folded;
}

const Metric* Vocabulary::Find(std::string_view name) const {
  const auto found = names.find(Fold(name));
  return found == names.end() ? nullptr : &metrics[found->second];
}

bool MapReadings(const Vocabulary& vocabulary, const std::vector<ReadingRule>& rules, Json item,
                 std::vector<Reading>* readings, std::string* detail) {
  for (const ReadingRule& rule : rules) {
    RuleMapper mapper(vocabulary, rule, readings);
    if (rule.list_from.empty()) {
      mapper.MapElement(item);
      continue;
    }
    const std::optional<Json> list = Find(item, rule.list_from);
    if (!list) continue;
    simdjson::dom::array array;
    if (list->get(array) != simdjson::SUCCESS) {
      *detail = "expected a list at '" + rule.list_from.front() + "'";
      return false;
    }
    for (const Json element : array) mapper.MapElement(element);
  }
  return true;
}

}  // namespace auren::devices
