// Mapping: from a provider's JSON to readings, by rules that a device file holds.
//
// A rule finds its elements, names the metric, and lists which members of an element are values.
// Nothing is dropped: a metric nobody knows, a value that is no number and a time that cannot be
// read stay in the reading as they were sent; whoever stores them says what is wrong with them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "devices/json.h"
#include "devices/units.h"
#include "ingest/delivery.h"

namespace auren::devices {

// Words compare without case, blanks, underscores and hyphens: "heartRate" is "heart_rate".
std::string Fold(std::string_view word);

// Vendors' words -> ours.
using Words = std::map<std::string, std::string, std::less<>>;  // folded -> canonical

struct Metric {
  std::string name;       // canonical
  std::string unit;       // UCUM
  std::string statistic;  // empty: the rule's
  std::string context;    // when the payload gives none
  Infer infer = Infer::kNothing;
  bool state = false;  // its values are words of `states`
};

struct Vocabulary {
  std::vector<Metric> metrics;
  std::map<std::string, std::size_t, std::less<>> names;  // folded name or alias -> index
  Words states, contexts;

  const Metric* Find(std::string_view name) const;
};

// One member of an element that is a value.
struct ValueRule {
  std::string for_name;  // folded; this rule speaks for elements of that name alone
  std::string metric, unit, statistic, context;
  Pointers value_from, divided_by_from, start_from, end_from;
  double times = 1;
  std::vector<std::string> flags;
};

struct ReadingRule {
  Pointers list_from;  // an array, each element of which is mapped; empty: the item itself
  Pointers rows_from;  // an array inside each element; empty: the element is the only row
  Pointers metric_from, unit_from;                                             // in the element
  Pointers start_from, end_from, source_from, context_from, external_id_from;  // in the row
  std::string metric, unit, statistic = "instant", context, source;
  double span_seconds = 0;  // end = start + span, when there is no end
  bool zone_utc = false;    // a time without an offset is UTC by the vendor's word: not flagged
  std::vector<std::string> flags;
  std::vector<ValueRule> values;
};

// Appends the readings of `item`. False when a list is something else; `detail` says which.
bool MapReadings(const Vocabulary& vocabulary, const std::vector<ReadingRule>& rules, Json item,
                 std::vector<ingest::Reading>* readings, std::string* detail);

}  // namespace auren::devices
