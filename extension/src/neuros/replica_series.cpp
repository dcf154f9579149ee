#include "neuros/replica_series.h"

#include <cstring>

#include "biometrics/timestamp.h"
#include "postgres/errors.h"

extern "C" {
#include "common/hashfn.h"
}

namespace auren::neuros {
namespace {

constexpr int32 kNowhere = PlaceIndex::kNowhere;

bool SameKey(const ReplicaReading& a, const ReplicaReading& b) {
  return a.start == b.start && a.end == b.end && a.has_end == b.has_end && a.source == b.source &&
         a.has_statistic == b.has_statistic && a.statistic == b.statistic;
}

// The rest of the key rarely differs where the start is the same.
uint32 HashOfKey(const ReplicaReading& reading) {
  return hash_combine(
      murmurhash32(static_cast<uint32>(reading.start)),
      murmurhash32(static_cast<uint32>(reading.start >> 32) ^ static_cast<uint32>(reading.end) ^
                   static_cast<uint32>(reading.source)));
}

// Absent ones come last, as in an index.
int CompareTexts(bool has_a, std::string_view a, bool has_b, std::string_view b) {
  if (!has_a || !has_b) return static_cast<int>(has_b) - static_cast<int>(has_a);
  return a.compare(b);
}

// The order in which what stands is looked for: newest first.
bool Precedes(const ReplicaReading& a, const ReplicaReading& b, const std::string_view* sources) {
  if (a.end != b.end) return a.end > b.end;
  if (a.start != b.start) return a.start > b.start;
  const int by_source =
      CompareTexts(a.source != 0, sources[a.source], b.source != 0, sources[b.source]);
  if (by_source != 0) return by_source < 0;
  return CompareTexts(a.has_statistic, core::Name(a.statistic), b.has_statistic,
                      core::Name(b.statistic)) < 0;
}

}  // namespace

void ReplicaSeries::Begin(MemoryContext context, std::string_view device,
                          const biometrics::MetricType* metric) {
  *this = ReplicaSeries{};
  context_ = context;
  device_ = device;
  metric_ = metric;
}

core::Scale ReplicaSeries::scale() const {
  return metric_->baseline == biometrics::BaselineKind::kLog ? core::Scale::kLog
                                                             : core::Scale::kLinear;
}

TimestampTz ReplicaSeries::Newest() {
  if (!newest_is_gone_) return newest_;
  newest_ = DT_NOBEGIN;
  for (int32 i = 0; i < count_; i++) {
    const ReplicaReading& reading = readings_[i];
    if (reading.stands && !reading.unsettled) newest_ = Max(newest_, reading.end);
  }
  newest_is_gone_ = false;
  return newest_;
}

int32 ReplicaSeries::Find(const ReplicaReading& key) {
  // As a rule a reading starts behind all that are there: then it is none of them.
  if (key.start > last_start_) return kNowhere;
  for (; indexed_ < count_; indexed_++) {
    by_key_.Add(context_, HashOfKey(readings_[indexed_]), indexed_);
  }
  return by_key_.Find(HashOfKey(key), [this, &key](int32 place) {
    return !readings_[place].moved && SameKey(readings_[place], key);
  });
}

bool ReplicaSeries::Knows(const ReplicaReading& reading) {
  const int32 place = Find(reading);
  if (place == kNowhere) return false;
  const ReplicaReading& found = readings_[place];
  return found.stands && !found.unsettled && found.context == reading.context &&
         found.value == reading.value;
}

void ReplicaSeries::Put(const ReplicaReading& reading) {
  const int32 place = Find(reading);
  if (place == kNowhere) return Append(reading);
  ReplicaReading* there = &readings_[place];
  Remove(there);
  if (there->day != reading.day) {
    there->moved = true;
    return Append(reading);
  }
  const int32 day_before = there->day_before;
  const int32 document = there->document;
  *there = reading;
  there->day_before = day_before;
  if (!reading.unsettled) newest_ = Max(newest_, reading.end);
  if (reading.document != document) NoteDocument(place);
}

void ReplicaSeries::Append(const ReplicaReading& reading) {
  MakeRoom(context_, &readings_, count_, &capacity_);
  const int32 place = count_++;
  readings_[place] = reading;
  Touch(reading.day);
  Day& day = days_[FirstDayFrom(reading.day)];
  readings_[place].day_before = day.newest;
  day.newest = place;
  last_start_ = Max(last_start_, reading.start);
  if (!reading.unsettled) newest_ = Max(newest_, reading.end);
  NoteDocument(place);
}

void ReplicaSeries::Remove(ReplicaReading* reading) {
  Touch(reading->day);
  newest_is_gone_ =
      newest_is_gone_ || (reading->stands && !reading->unsettled && reading->end == newest_);
  reading->stands = false;
}

void ReplicaSeries::Delete(const ReplicaReading& key) {
  const int32 place = Find(key);
  if (place != kNowhere) Remove(&readings_[place]);
}

void ReplicaSeries::NoteDocument(int32 place) {
  const int32 document = readings_[place].document;
  if (document == 0) return;
  MakeRoom(context_, &in_documents_, in_document_count_, &in_document_capacity_);
  const uint32 hash = murmurhash32(static_cast<uint32>(document));
  const int32 head = by_document_.Find(
      hash, [this, document](int32 it) { return in_documents_[it].document == document; });
  const int32 added = in_document_count_++;
  if (head == kNowhere) {
    in_documents_[added] = {document, place, kNowhere};
    by_document_.Add(context_, hash, added);
  } else {
    in_documents_[added] = {document, place, in_documents_[head].next};
    in_documents_[head].next = added;
  }
}

void ReplicaSeries::DeleteDocument(int32 document, int32 but_of) {
  const int32 head = by_document_.Find(
      murmurhash32(static_cast<uint32>(document)),
      [this, document](int32 it) { return in_documents_[it].document == document; });
  for (int32 i = head; i != kNowhere; i = in_documents_[i].next) {
    ReplicaReading* reading = &readings_[in_documents_[i].reading];
    if (!reading->stands || reading->document != document) continue;
    if (but_of == 0 || reading->delivered_in != but_of) Remove(reading);
  }
}

const ReplicaReading* ReplicaSeries::Standing(TimestampTz oldest, int64 version,
                                              const std::string_view* sources) const {
  const ReplicaReading* newest = nullptr;
  const int32 first = biometrics::LocalDay(oldest, 0) - 1;
  for (int32 i = day_count_ - 1; i >= 0 && days_[i].value.day >= first; i--) {
    for (int32 place = days_[i].newest; place != kNowhere; place = readings_[place].day_before) {
      const ReplicaReading& reading = readings_[place];
      if (!reading.stands || reading.unsettled || reading.end < oldest ||
          reading.version == version) {
        continue;
      }
      if (newest == nullptr || Precedes(reading, *newest, sources)) newest = &reading;
    }
  }
  return newest;
}

// The place of the first day that is not before `day`.
int32 ReplicaSeries::FirstDayFrom(int32 day) const {
  if (day_count_ > 0 && days_[day_count_ - 1].value.day == day) return day_count_ - 1;
  int32 low = 0;
  int32 high = day_count_;
  while (low < high) {
    const int32 middle = low + (high - low) / 2;
    if (days_[middle].value.day < day) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// A reading of the day came, changed or went.
void ReplicaSeries::Touch(int32 day) {
  if (day < baseline_before_) has_baseline_ = false;
  const int32 place = FirstDayFrom(day);
  if (place < day_count_ && days_[place].value.day == day) {
    days_[place].stale = true;
    return;
  }
  MakeRoom(context_, &days_, day_count_, &day_capacity_);
  memmove(days_ + place + 1, days_ + place, sizeof(Day) * (day_count_ - place));
  days_[place] = {{.value = 0, .day = day, .readings = 0}, kNowhere, true};
  day_count_++;
}

void ReplicaSeries::Refresh(Day* day) {
  if (!day->stale) return;
  int32 capacity = 0;
  int32 count = 0;
  double* values = nullptr;
  for (int32 place = day->newest; place != kNowhere; place = readings_[place].day_before) {
    const ReplicaReading& reading = readings_[place];
    if (!reading.stands || reading.moved || reading.unsettled ||
        (scale() == core::Scale::kLog && reading.value <= 0) ||
        !core::CountsForDay(metric_->name, reading.statistic, reading.context)) {
      continue;
    }
    MakeRoom(CurrentMemoryContext, &values, count, &capacity);
    values[count++] = reading.value;
  }
  day->value.readings = count;
  day->value.value = count == 0 ? 0 : core::ValueOfDay(values, count, scale());
  day->stale = false;
  if (values != nullptr) pfree(values);
}

const core::DayBaseline& ReplicaSeries::BaselineOf(int32 day, int32 before) {
  before = Min(before, day);
  if (has_baseline_ && baseline_day_ == day && baseline_before_ == before) return baseline_;
  core::DailyValue window[core::kLongWindowDays];
  int count = 0;
  for (int32 i = FirstDayFrom(day - core::kLongWindowDays);
       i < day_count_ && days_[i].value.day < before; i++) {
    Refresh(&days_[i]);
    if (days_[i].value.readings > 0) window[count++] = days_[i].value;
  }
  pg::ThrowIfError(core::BaselineOfDay(window, count, day, before, scale(), &baseline_));
  baseline_day_ = day;
  baseline_before_ = before;
  has_baseline_ = true;
  return baseline_;
}

int ReplicaSeries::DaysBetween(int32 first, int32 before) {
  if (metric_->baseline == biometrics::BaselineKind::kNone) return 0;
  int days = 0;
  for (int32 i = FirstDayFrom(first); i < day_count_ && days_[i].value.day < before; i++) {
    Refresh(&days_[i]);
    days += days_[i].value.readings > 0;
  }
  return days;
}

}  // namespace auren::neuros
