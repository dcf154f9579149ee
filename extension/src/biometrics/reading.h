// Reading: one reading of a delivery, as sent and as understood.
//
// Trivial; its texts point into the delivery's JSON. An absent text is empty.
#pragma once

#include "biometrics/catalogue.h"
#include "core/engine.h"
#include "postgres/backend.h"

namespace auren::biometrics {

// Why a reading was refused. The names are in the events: they stay.
enum class Refusal : uint8 {
  kNone,
  kMalformed,         // no object, or a member of the wrong kind
  kUnknownMetric,     // not in the catalogue
  kNotANumber,        // a number was due: a text, null or a boolean came
  kNotAState,         // a word was due
  kUnitMismatch,      // a unit the metric may not come in
  kHardRange,         // outside the hard range
  kInvalidTimestamp,  // missing, not RFC 3339, or an end before its start
  kFutureTimestamp,   // more than 24 hours ahead of the server
};
const char* Name(Refusal refusal);

// What was odd about a reading. Names as in the contract.
enum class Anomaly : uint8 {
  kHardRange,
  kSoftRange,
  kZScore,
  kFuture,
  kUnknownMetric,
  kUnmappedState
};
inline constexpr int kAnomalies = 6;
const char* Name(Anomaly anomaly);

// How much it takes away: high: the reading; medium: trust in its value; low: its name.
const char* Severity(Anomaly anomaly);

struct Reading {
  int index;  // from 1, in the delivery
  std::string_view metric_name;
  const MetricType* metric;  // nullptr: not in the catalogue

  Refusal refusal;
  const char* detail;  // a sentence for people, when refused

  bool deleted;            // takes a reading, or a document's readings of this metric, away
  bool superseded;         // a later reading of the same delivery takes it away again
  bool known;              // stored already, unchanged: this is a repetition
  double value;            // in the metric's unit
  std::string_view state;  // instead of a value
  TimestampTz start;
  TimestampTz end;  // = start unless has_end
  bool has_start;
  bool has_end;
  bool has_zone;
  int zone_offset;  // minutes east of UTC, of the end, else the start
  std::string_view statistic_name;
  std::string_view context_name;
  core::Statistic statistic;
  core::Context context;
  std::string_view source;
  std::string_view external_id;
  std::string_view* flags;
  int flag_count;

  uint8 anomalies;  // a bit for each Anomaly
  bool unsettled;   // flagged pending or calibrating

  bool accepted() const { return refusal == Refusal::kNone; }
  bool to_be_stored() const { return accepted() && !deleted && !superseded; }
  bool Has(Anomaly anomaly) const { return anomalies & (1u << static_cast<int>(anomaly)); }
  void Add(Anomaly anomaly) { anomalies |= static_cast<uint8>(1u << static_cast<int>(anomaly)); }
};

// Understands and checks one element of a delivery's `readings`. `now`: the server's clock.
// Returns false when it is no reading at all (then it is refused as malformed).
bool ReadReading(const Catalogue& catalogue, const JsonbValue& sent, int index, TimestampTz now,
                 Reading* reading);

}  // namespace auren::biometrics
