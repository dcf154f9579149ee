// bridge.ingest_batch: deliveries in, one answer each.
//
// Way of a batch: read all envelopes -> lock all persons' streams, once, in key order -> then round
// by round: a round takes the next delivery of each person, so that nothing in it depends on
// another, and every statement serves the whole round; what one person sent twice is in two rounds,
// and the second sees what the first did. All in the caller's transaction.
//
// What is wrong with a delivery, or with one of its readings, is an answer and never an error, so
// that its neighbours do not suffer. An error means that the batch as a whole could not be done.
#include <algorithm>

#include "bridge/delivery.h"
#include "bridge/round.h"
#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::bridge {
namespace {

// Bounds of a round's memory. One delivery may be larger: then it is a round.
constexpr int kMaxDeliveries = 1000;
constexpr size_t kMaxBytes = size_t{4} << 20;  // of JSON as it came; read, it is several times that

// The deliveries of a call and their answers, by their place in it.
struct Batch {
  Delivery* deliveries;
  Answer* answers;
  int count;
};

// A sound delivery's turn: how many of the same person come before it.
struct Turn {
  int rank;
  int index;
};

// The sound deliveries in the order in which they are taken: each person's first, then each one's
// second, and so on.
Turn* Order(const Batch& batch, int* count) {
  auto* turns =
      static_cast<Turn*>(palloc_extended(sizeof(Turn) * (batch.count + 1), MCXT_ALLOC_HUGE));
  *count = 0;
  for (int i = 0; i < batch.count; i++) {
    if (batch.deliveries[i].problem.code == nullptr) turns[(*count)++] = {0, i};
  }
  const Delivery* deliveries = batch.deliveries;
  std::sort(turns, turns + *count, [deliveries](const Turn& a, const Turn& b) {
    const int order =
        pg::View(deliveries[a.index].user_id).compare(pg::View(deliveries[b.index].user_id));
    return order != 0 ? order < 0 : a.index < b.index;
  });
  for (int i = 1; i < *count; i++) {
    const bool same = pg::View(deliveries[turns[i].index].user_id) ==
                      pg::View(deliveries[turns[i - 1].index].user_id);
    turns[i].rank = same ? turns[i - 1].rank + 1 : 0;
  }
  std::sort(turns, turns + *count, [](const Turn& a, const Turn& b) {
    return a.rank != b.rank ? a.rank < b.rank : a.index < b.index;
  });
  return turns;
}

// How many of the turns, at least one, make a round.
int RoundSize(const Batch& batch, const Turn* turns, int count) {
  int size = 0;
  size_t bytes = 0;
  while (size < Min(count, kMaxDeliveries) && turns[size].rank == turns[0].rank) {
    bytes += VARSIZE(batch.deliveries[turns[size].index].document);
    if (size > 0 && bytes > kMaxBytes) break;
    size++;
  }
  return size;
}

void TakeAll(const Shared& shared, const Batch& batch) {
  int count;
  const Turn* turns = Order(batch, &count);
  while (count > 0) {
    CHECK_FOR_INTERRUPTS();
    const int size = RoundSize(batch, turns, count);
    // A session of its own, so that its memory goes with it.
    const pg::SpiSession own = pg::SpiBegin();
    auto** deliveries = static_cast<const Delivery**>(palloc(sizeof(void*) * size));
    auto** answers = static_cast<Answer**>(palloc(sizeof(void*) * size));
    for (int i = 0; i < size; i++) {
      deliveries[i] = &batch.deliveries[turns[i].index];
      answers[i] = &batch.answers[turns[i].index];
    }
    TakeRound(shared, deliveries, answers, size);
    pg::SpiEnd(own);
    turns += size;
    count -= size;
  }
}

void* Allocate(size_t size, int count) {
  return palloc_extended(size * static_cast<size_t>(count + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

void IngestBatch(const pg::Elements& documents, ReturnSetInfo* result) {
  Shared shared;
  shared.now = GetCurrentTimestamp();
  Batch batch;
  batch.count = documents.count;
  batch.deliveries = static_cast<Delivery*>(Allocate(sizeof(Delivery), batch.count));
  batch.answers = static_cast<Answer*>(Allocate(sizeof(Answer), batch.count));
  auto** streams = static_cast<text**>(Allocate(sizeof(text*), batch.count));
  int stream_count = 0;
  for (int i = 0; i < batch.count; i++) {
    Delivery* delivery = &batch.deliveries[i];
    ReadDelivery(documents.is_null[i] ? nullptr : DatumGetJsonbP(documents.values[i]), shared.now,
                 delivery);
    if (delivery->problem.code == nullptr) {
      streams[stream_count++] = delivery->stream_id;
    } else {
      batch.answers[i] = Rejected(delivery->problem);
    }
  }
  if (stream_count > 0) events::LockStreams(streams, stream_count);

  const pg::SpiSession spi = pg::SpiBegin();
  shared.catalogue = biometrics::LoadCatalogue();
  shared.config = neuros::LoadConfig();
  TakeAll(shared, batch);
  for (int i = 0; i < batch.count; i++) PutRow(result, i + 1, batch.answers[i]);
  pg::SpiEnd(spi);
}

}  // namespace
}  // namespace auren::bridge

AUREN_SQL_FUNCTION(bridge_ingest_batch) {
  auren::pg::RequireNotNull(fcinfo, 0, "p_deliveries");
  InitMaterializedSRF(fcinfo, 0);
  auren::bridge::IngestBatch(
      auren::pg::ElementsOf(PG_GETARG_ARRAYTYPE_P(0), JSONBOID, "p_deliveries"),
      reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
  return Datum{0};
}
