// Way of a round: look each event up (a repeat is a duplicate) -> look whether the person's stream
// is closed -> check the readings -> append the events -> read the persons' states -> store the
// readings -> judge -> write the states that are worth it.
#include "bridge/round.h"

#include "biometrics/reading.h"
#include "biometrics/store.h"
#include "bridge/judge.h"
#include "bridge/newest.h"
#include "bridge/person_state.h"
#include "core/quality.h"
#include "events/appender.h"
#include "events/lookup.h"
#include "events/names.h"
#include "postgres/values.h"

namespace auren::bridge {
namespace {

using biometrics::Reading;

Reading* ReadReadings(const Shared& shared, const Delivery& delivery) {
  auto* readings = static_cast<Reading*>(
      palloc_extended(sizeof(Reading) * delivery.reading_count, MCXT_ALLOC_HUGE));
  JsonbIterator* iterator = JsonbIteratorInit(const_cast<JsonbContainer*>(delivery.readings));
  JsonbValue item;
  JsonbIteratorToken token;
  int index = 0;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token != WJB_ELEM) continue;
    CHECK_FOR_INTERRUPTS();
    biometrics::ReadReading(shared.catalogue, item, index + 1, shared.now, &readings[index]);
    index++;
  }
  return readings;
}

int CountAnomalies(const Reading* readings, int count) {
  int anomalies = 0;
  for (int i = 0; i < count; i++) anomalies += __builtin_popcount(readings[i].anomalies);
  return anomalies;
}

// False when the delivery is not taken in: then the answer is written.
bool Admit(events::Lookup* lookup, int number, const Delivery& delivery, Answer* answer) {
  events::StoredEvent stored;
  if (lookup->Find(number, &delivery.event_id, &stored)) {
    *answer = CopyOut(Duplicate(delivery, stored));
    return false;
  }
  if (lookup->IsClosed(number)) {
    *answer = CopyOut(Rejected({"stream_tombstoned", "the person's stream is closed for good"}));
    return false;
  }
  return true;
}

// The event; its data nullptr when it is too large to be one.
events::NewEvent EventOf(const Arrival& arrival, int64 config_version) {
  const Delivery& delivery = *arrival.delivery;
  events::NewEvent event = {};
  event.stream_id = delivery.stream_id;
  event.event_type = pg::Text(events::kDeliveryType);
  event.event_id = &delivery.event_id;
  event.id_is_new = true;
  event.event_data = EventData(delivery, Refused(arrival.readings, arrival.count, arrival.count));
  if (VARSIZE(event.event_data) > events::kMaxDocument) {
    event.event_data = nullptr;
    return event;
  }
  event.metadata =
      EventMetadata(delivery, core::QualityScore(CountAnomalies(arrival.readings, arrival.count)),
                    config_version);
  return event;
}

void AppendEvents(const events::NewEvent* events, const events::Tip* tips, Arrival* arrivals,
                  int count) {
  auto** streams = static_cast<text**>(palloc(sizeof(text*) * count));
  for (int i = 0; i < count; i++) streams[i] = events[i].stream_id;
  events::Appender appender;
  appender.Begin(streams, count, tips);
  for (int i = 0; i < count; i++) {
    CHECK_FOR_INTERRUPTS();
    const events::Appended appended = appender.Append(events[i], events::kAnyVersion);
    arrivals[i].position = appended.position;
    arrivals[i].position_before = tips[i].position;
    arrivals[i].is_first = appended.version == 1;
  }
  appender.Finish();
}

void Store(const Arrival* arrivals, int count) {
  auto* brought = static_cast<biometrics::Brought*>(palloc(sizeof(biometrics::Brought) * count));
  for (int i = 0; i < count; i++) {
    brought[i] = {.user_id = arrivals[i].delivery->user_id,
                  .device_type = arrivals[i].device,
                  .delivery_id = arrivals[i].delivery->delivery_id,
                  .position = arrivals[i].position,
                  .is_first = arrivals[i].is_first,
                  .readings = arrivals[i].readings,
                  .count = arrivals[i].count};
  }
  biometrics::StoreReadings(brought, count);
}

}  // namespace

void TakeRound(const Shared& shared, const Delivery* const* deliveries, Answer* const* answers,
               int count) {
  auto* arrivals = static_cast<Arrival*>(palloc(sizeof(Arrival) * count));
  auto* events = static_cast<events::NewEvent*>(palloc(sizeof(events::NewEvent) * count));
  auto* tips = static_cast<events::Tip*>(palloc(sizeof(events::Tip) * count));
  auto** answer_of = static_cast<Answer**>(palloc(sizeof(void*) * count));
  auto** streams = static_cast<text**>(palloc(sizeof(text*) * count));
  for (int i = 0; i < count; i++) streams[i] = deliveries[i]->stream_id;
  events::Lookup lookup;
  lookup.Begin(streams, count);
  int taken = 0;
  for (int i = 0; i < count; i++) {
    CHECK_FOR_INTERRUPTS();
    const Delivery& delivery = *deliveries[i];
    if (!Admit(&lookup, i, delivery, answers[i])) continue;
    Arrival& arrival = arrivals[taken];
    arrival = Arrival{};
    arrival.delivery = &delivery;
    arrival.readings = ReadReadings(shared, delivery);
    arrival.count = delivery.reading_count;
    arrival.device = pg::Text(delivery.source);
    events[taken] = EventOf(arrival, shared.config.version);
    if (events[taken].event_data == nullptr) {
      *answers[i] = CopyOut(Rejected({"too_large", "the delivery is over 16 MiB as stored"}));
      continue;
    }
    biometrics::MarkSuperseded(arrival.readings, arrival.count);
    tips[taken] = lookup.tip(i);
    answer_of[taken++] = answers[i];
  }
  lookup.End();
  if (taken == 0) return;

  AppendEvents(events, tips, arrivals, taken);
  LoadStates(arrivals, taken);
  FindNewest(*shared.config.config, arrivals, taken);
  MarkKnown(arrivals, taken);
  Store(arrivals, taken);
  FoldArrivals(arrivals, taken);
  Judge(shared.config, shared.catalogue, arrivals, taken);
  SaveStates(arrivals, taken);
  for (int i = 0; i < taken; i++) *answer_of[i] = CopyOut(Applied(arrivals[i]));
}

}  // namespace auren::bridge
