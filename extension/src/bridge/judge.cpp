#include "bridge/judge.h"

#include "biometrics/timestamp.h"
#include "bridge/evaluation.h"
#include "bridge/newest.h"
#include "core/evaluation.h"
#include "neuros/mode.h"
#include "postgres/errors.h"
#include "postgres/values.h"

namespace auren::bridge {
namespace {

using biometrics::Reading;

// The local days of the readings that may decide.
void DayRange(const Reading* readings, int count, TimestampTz oldest, int32* first, int32* last) {
  *first = PG_INT32_MAX;
  *last = PG_INT32_MIN;
  for (int i = 0; i < count; i++) {
    if (!MayDecide(readings[i], oldest)) continue;
    const int32 day = biometrics::LocalDay(readings[i].end, readings[i].zone_offset);
    *first = Min(*first, day);
    *last = Max(*last, day);
  }
}

// Whether the delivery is the person's first and brings nothing of a day before that one.
bool BeginsOn(const Arrival& arrival, int32 day) {
  if (!arrival.is_first) return false;
  for (int i = 0; i < arrival.count; i++) {
    const Reading& reading = arrival.readings[i];
    if (reading.to_be_stored() && biometrics::LocalDay(reading.end, reading.zone_offset) < day) {
      return false;
    }
  }
  return true;
}

// Only the newest of very many readings are judged: the end before which they are left out.
TimestampTz CutOff(const core::Config& config, const Reading* readings, int count,
                   TimestampTz oldest) {
  auto* ends = static_cast<std::int64_t*>(
      palloc_extended(sizeof(std::int64_t) * (count + 1), MCXT_ALLOC_HUGE));
  int candidates = 0;
  for (int i = 0; i < count; i++) {
    if (MayDecide(readings[i], oldest)) ends[candidates++] = readings[i].end;
  }
  return core::CutOff(config, ends, candidates, oldest);
}

// A reading of the delivery.
void Observe(Reading* reading, const NewestReadings& newest, std::string_view device,
             Evaluation* evaluation) {
  core::Observation* observation =
      evaluation->Add({.device = device,
                       .metric = reading->metric,
                       .day = biometrics::LocalDay(reading->end, reading->zone_offset),
                       .reading = reading});
  observation->metric = reading->metric->name;
  observation->value = reading->value;
  observation->at_us = reading->end;
  observation->context = reading->context;
  observation->statistic = reading->statistic;
  observation->outside_soft_range = reading->Has(biometrics::Anomaly::kSoftRange);
  observation->late = reading->end < newest.Before(reading->metric);
  observation->standing = reading->known;
}

// False when the delivery has nothing that may decide.
bool BeginEvaluation(const core::Config& config, Arrival* arrival, Evaluation* evaluation) {
  if (arrival->newest.count == 0) return false;
  const TimestampTz oldest =
      CutOff(config, arrival->readings, arrival->count,
             core::OldestThatDecides(config, arrival->delivery->received_at));
  int32 first_day, last_day;
  DayRange(arrival->readings, arrival->count, oldest, &first_day, &last_day);
  if (first_day > last_day) return false;

  // A standing reading may be of an earlier day than any of the delivery's.
  const int32 standing_day = biometrics::LocalDay(oldest, 0) - 1;
  *evaluation = Evaluation{};
  evaluation->arrival = arrival;
  evaluation->oldest = oldest;
  evaluation->baselines =
      static_cast<biometrics::Baselines*>(palloc(sizeof(biometrics::Baselines)));
  *evaluation->baselines =
      biometrics::Baselines(arrival->delivery->user_id, Min(first_day, standing_day), last_day);
  if (BeginsOn(*arrival, last_day)) evaluation->baselines->BeginToday();
  for (int i = 0; i < arrival->count; i++) {
    if (!MayDecide(arrival->readings[i], oldest)) continue;
    Observe(&arrival->readings[i], arrival->newest, arrival->delivery->source, evaluation);
  }
  return true;
}

// Reads all baselines that the observations are held against.
void LoadBaselines(Evaluation* evaluations, int count, biometrics::Baselines** baselines) {
  for (int i = 0; i < count; i++) {
    for (int j = 0; j < evaluations[i].count; j++) {
      const Origin& origin = evaluations[i].origins[j];
      if (evaluations[i].observations[j].late) continue;
      baselines[i]->Want(origin.device, *origin.metric);
    }
  }
  biometrics::LoadSeries(baselines, count);
}

void HoldAgainstBaselines(const core::Config& config, Evaluation* evaluation) {
  for (int i = 0; i < evaluation->count; i++) {
    core::Observation* observation = &evaluation->observations[i];
    const Origin& origin = evaluation->origins[i];
    if (observation->late) continue;
    const biometrics::Series* series =
        evaluation->baselines->Find(origin.device, *origin.metric, origin.day);
    if (series == nullptr) continue;
    const bool anomalous = core::HoldAgainst(
        config, series->baseline,
        biometrics::ComparableByZ(series->one_a_day, observation->statistic), observation);
    if (anomalous && origin.reading != nullptr) {
      origin.reading->Add(biometrics::Anomaly::kZScore);
    }
  }
}

Jsonb* Context(const Delivery& delivery, const core::Decision& decision) {
  pg::JsonbBuilder json;
  json.BeginObject();
  json.Add("source", delivery.source);
  json.Add("delivery_id", delivery.delivery_id);
  json.Key("received_at");
  json.Timestamp(delivery.received_at);
  json.Add("borderline", decision.borderline);
  json.EndObject();
  return json.Finish();
}

Judgement CarryOut(const Delivery& delivery, const neuros::ActiveConfig& config,
                   const neuros::ModeState& state, const core::Decision& decision) {
  if (decision.outcome != core::Outcome::kSwitch) return {};
  neuros::EnterMode(state, {.user_id = delivery.user_id,
                            .stream_id = delivery.stream_id,
                            .to_mode = decision.to_mode,
                            .trigger = core::TriggerName(decision),
                            .confidence = decision.confidence,
                            .reason = decision.reason,
                            .config_version = config.version,
                            .context = Context(delivery, decision),
                            .factors = decision.factors,
                            .factor_count = decision.factor_count,
                            .since = delivery.received_at,
                            .by_hand = false});
  return {.from_mode = state.mode,
          .to_mode = config.config->FindMode(decision.to_mode)->name,
          .trigger = pg::CString(core::TriggerName(decision)),
          .confidence = decision.confidence};
}

neuros::ModeState* LoadStates(const Evaluation* evaluations, int count) {
  auto* states = static_cast<neuros::ModeState*>(palloc(sizeof(neuros::ModeState) * count));
  auto** users = static_cast<text**>(palloc(sizeof(text*) * count));
  for (int i = 0; i < count; i++) users[i] = evaluations[i].arrival->delivery->user_id;
  neuros::LoadModes(users, count, states);
  for (int i = 0; i < count; i++) states[i].calm = evaluations[i].arrival->state.calm;
  return states;
}

void Decide(const core::Config& config, const Evaluation& evaluation,
            const neuros::ModeState& state, core::Decision* decision) {
  const core::CurrentMode current = {.mode = state.mode,
                                     .by_hand = state.by_hand,
                                     .ever_switched = state.ever_switched,
                                     .since_us = state.since,
                                     .calm = state.calm};
  pg::ThrowIfError(core::Decide(config, current, evaluation.observations, evaluation.count,
                                evaluation.baselines->history_days(),
                                evaluation.arrival->delivery->received_at, decision));
}

}  // namespace

void Judge(const neuros::ActiveConfig& config, const biometrics::Catalogue& catalogue,
           Arrival* arrivals, int count) {
  auto* evaluations = static_cast<Evaluation*>(palloc(sizeof(Evaluation) * count));
  auto** baselines =
      static_cast<biometrics::Baselines**>(palloc(sizeof(biometrics::Baselines*) * count));
  int judged = 0;
  for (int i = 0; i < count; i++) {
    if (!BeginEvaluation(*config.config, &arrivals[i], &evaluations[judged])) continue;
    baselines[judged] = evaluations[judged].baselines;
    judged++;
  }
  if (judged == 0) return;

  biometrics::Refresh(baselines, judged);
  AddStanding(*config.config, catalogue, evaluations, judged);
  LoadBaselines(evaluations, judged, baselines);
  for (int i = 0; i < judged; i++) HoldAgainstBaselines(*config.config, &evaluations[i]);
  biometrics::CountHistory(baselines, judged,
                           static_cast<int>(config.config->baselines.min_baseline_days));

  const neuros::ModeState* states = LoadStates(evaluations, judged);
  auto* decision = static_cast<core::Decision*>(palloc(sizeof(core::Decision)));
  for (int i = 0; i < judged; i++) {
    CHECK_FOR_INTERRUPTS();
    Arrival* arrival = evaluations[i].arrival;
    Decide(*config.config, evaluations[i], states[i], decision);
    if (decision->outcome != core::Outcome::kNone) arrival->state.calm = decision->calm;
    arrival->judgement = CarryOut(*arrival->delivery, config, states[i], *decision);
  }
}

}  // namespace auren::bridge
