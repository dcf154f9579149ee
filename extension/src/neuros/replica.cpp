#include "neuros/replica.h"

#include "biometrics/store.h"
#include "biometrics/timestamp.h"

extern "C" {
#include "common/hashfn.h"
}

namespace auren::neuros {
namespace {

using biometrics::Reading;

bool DeletesDocument(const Reading& reading) {
  return reading.deleted && !reading.external_id.empty();
}

// Before, with or behind: the order of device and metric.
int Compare(const ReplicaSeries& series, std::string_view device, std::string_view metric) {
  const int by_device = series.device().compare(device);
  return by_device != 0 ? by_device : series.metric().name.compare(metric);
}

}  // namespace

void Replica::Begin(MemoryContext context) {
  *this = Replica{};
  context_ = context;
  MakeRoom(context_, &names_, name_count_, &name_capacity_);
  names_[name_count_++] = {};
}

std::string_view Replica::Keep(std::string_view text) const {
  char* copy = static_cast<char*>(MemoryContextAlloc(context_, text.size() + 1));
  memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

int32 Replica::NumberOf(std::string_view name) {
  if (name.empty()) return 0;
  const uint32 hash = hash_bytes(reinterpret_cast<const unsigned char*>(name.data()),
                                 static_cast<int>(name.size()));
  const int32 known =
      by_name_.Find(hash, [this, name](int32 place) { return names_[place] == name; });
  if (known != PlaceIndex::kNowhere) return known;
  MakeRoom(context_, &names_, name_count_, &name_capacity_);
  names_[name_count_] = Keep(name);
  by_name_.Add(context_, hash, name_count_);
  return name_count_++;
}

ReplicaSeries* Replica::SeriesOf(std::string_view device, const biometrics::MetricType* metric) {
  int32 place = 0;
  for (; place < series_count_; place++) {
    const int order = Compare(*series_[place].at, device, metric->name);
    if (order == 0) return series_[place].at;
    if (order > 0) break;
  }
  MakeRoom(context_, &series_, series_count_, &series_capacity_);
  memmove(series_ + place + 1, series_ + place, sizeof(Kept) * (series_count_ - place));
  series_count_++;
  series_[place].at =
      static_cast<ReplicaSeries*>(MemoryContextAlloc(context_, sizeof(ReplicaSeries)));
  series_[place].at->Begin(context_, Keep(device), metric);
  return series_[place].at;
}

void Replica::Prepare(std::string_view device, std::string_view delivery_id, int64 version,
                      ReplayedReading* readings, int count) {
  ReplicaSeries* last = nullptr;
  delivery_ = 0;
  for (int i = 0; i < count; i++) {
    const Reading& reading = readings[i].reading;
    readings[i].series = nullptr;
    if (!reading.accepted() || reading.metric->is_state) continue;
    if (last == nullptr || &last->metric() != reading.metric) {
      last = SeriesOf(device, reading.metric);
    }
    readings[i].series = last;
    readings[i].newest_before = last->Newest();
    ReplicaReading* stored = &readings[i].stored;
    *stored = ReplicaReading{};
    stored->start = reading.start;
    stored->end = reading.end;
    stored->has_end = reading.has_end;
    stored->value = reading.value;
    stored->version = version;
    stored->day = biometrics::LocalDay(reading.end, reading.zone_offset);
    stored->source = NumberOf(reading.source);
    stored->context = reading.context;
    stored->statistic = reading.statistic;
    stored->has_statistic = !reading.statistic_name.empty();
    stored->unsettled = reading.unsettled;
    stored->stands = true;
    if (reading.external_id.empty()) continue;
    if (delivery_ == 0) delivery_ = NumberOf(biometrics::WithoutPart(delivery_id));
    stored->document = NumberOf(reading.external_id);
    stored->delivered_in = delivery_;
  }
}

void Replica::MarkKnown(ReplayedReading* readings, int count) const {
  for (int i = 0; i < count; i++) {
    Reading* reading = &readings[i].reading;
    if (readings[i].series == nullptr || reading->deleted || reading->superseded) continue;
    reading->known =
        reading->end <= readings[i].newest_before && readings[i].series->Knows(readings[i].stored);
  }
}

void Replica::Store(ReplayedReading* readings, int count) {
  for (int i = 0; i < count; i++) {
    const Reading& reading = readings[i].reading;
    if (readings[i].series == nullptr || !reading.deleted || reading.superseded) continue;
    if (!DeletesDocument(reading)) readings[i].series->Delete(readings[i].stored);
  }
  for (int i = 0; i < count; i++) {
    const ReplicaReading& stored = readings[i].stored;
    if (readings[i].series == nullptr || stored.document == 0) continue;
    readings[i].series->DeleteDocument(stored.document,
                                       readings[i].reading.deleted ? 0 : stored.delivered_in);
  }
  for (int i = 0; i < count; i++) {
    const Reading& reading = readings[i].reading;
    if (readings[i].series == nullptr || reading.deleted || reading.superseded) continue;
    readings[i].series->Put(readings[i].stored);
  }
}

int Replica::HistoryDays(int32 first, int32 before) const {
  int days = 0;
  for (int i = 0; i < series_count_; i++) {
    days = Max(days, series_[i].at->DaysBetween(first, before));
  }
  return days;
}

}  // namespace auren::neuros
