#include "neuros/replay.h"

#include "biometrics/baselines.h"
#include "biometrics/store.h"
#include "biometrics/timestamp.h"
#include "core/evaluation.h"
#include "core/text.h"
#include "events/store.h"
#include "postgres/errors.h"
#include "postgres/values.h"

namespace auren::neuros {
namespace {

using biometrics::Reading;

// No reading lies behind it: what was too far ahead was refused then, and the event says so.
constexpr TimestampTz kNeverAhead = PG_INT64_MAX / 2;

bool NumberMember(const Jsonb* object, std::string_view key, double* number) {
  JsonbValue value;
  if (!pg::Member(object, key, &value) || value.type != jbvNumeric) return false;
  *number = pg::Double(value);
  return true;
}

// Which readings were refused, by their number in the delivery.
bool* RefusedOf(const Jsonb* data, int count) {
  JsonbValue list;
  if (!pg::Member(data, "refused", &list) || !pg::IsArray(list)) return nullptr;
  auto* refused = static_cast<bool*>(palloc0(sizeof(bool) * (count + 1)));
  const JsonbContainer* items = list.val.binary.data;
  for (uint32 i = 0; i < JsonContainerSize(items); i++) {
    const JsonbValue* item = getIthJsonbValueFromContainer(const_cast<JsonbContainer*>(items), i);
    JsonbValue index;
    if (!pg::IsObject(*item) || !pg::Member(item->val.binary.data, "index", &index) ||
        index.type != jbvNumeric) {
      continue;
    }
    const double number = pg::Double(index);
    if (number >= 1 && number <= count) refused[static_cast<int>(number) - 1] = true;
  }
  return refused;
}

// Whether a reading may decide at all: a number that stands.
bool IsEligible(const ReplayedReading& it) {
  return it.series != nullptr && !it.reading.deleted && !it.reading.superseded &&
         !it.reading.unsettled;
}

Datum Get(TupleTableSlot* event, events::Column column, bool* is_null) {
  return slot_getattr(event, column, is_null);
}

}  // namespace

struct Replay::Event {
  int64 version;
  TimestampTz created_at;
  const Jsonb* data;
  const Jsonb* metadata;  // nullptr: none
};

void Replay::Begin(const ReplaySetting* setting, Witness witness) {
  *this = Replay{};
  setting_ = setting;
  witness_ = witness;
  person_ = CurrentMemoryContext;
  moment_ = AllocSetContextCreate(person_, "replayed event", ALLOCSET_DEFAULT_SIZES);
  replica_.Begin(person_);
  core::CopyText(mode_.mode, "baseline");
}

void Replay::Take(TupleTableSlot* slot) {
  bool is_null;
  const std::string_view type = pg::View(DatumGetTextPP(Get(slot, events::kEventType, &is_null)));
  const bool delivery = type == events::kDeliveryType;
  if (!delivery && type != "mode_switched") return;
  const MemoryContext caller = MemoryContextSwitchTo(moment_);
  const Datum metadata = Get(slot, events::kMetadata, &is_null);
  Event event = {};
  event.metadata = is_null ? nullptr : DatumGetJsonbP(metadata);
  event.version = DatumGetInt64(Get(slot, events::kVersion, &is_null));
  event.created_at = DatumGetTimestampTz(Get(slot, events::kCreatedAt, &is_null));
  event.data = DatumGetJsonbP(Get(slot, events::kEventData, &is_null));
  delivery ? Deliver(event) : SwitchByHand(event);
  MemoryContextSwitchTo(caller);
  MemoryContextReset(moment_);
}

ReplayedReading* Replay::Read(const Event& event, int* count) const {
  JsonbValue list;
  *count = 0;
  if (!pg::Member(event.data, "readings", &list) || !pg::IsArray(list)) return nullptr;
  JsonbContainer* items = list.val.binary.data;
  const auto size = static_cast<int>(JsonContainerSize(items));
  auto* readings = static_cast<Reading*>(
      palloc_extended(sizeof(Reading) * static_cast<Size>(size + 1), MCXT_ALLOC_HUGE));
  const bool* refused = RefusedOf(event.data, size);
  JsonbIterator* iterator = JsonbIteratorInit(items);
  JsonbValue item;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token != WJB_ELEM) continue;
    Reading* reading = &readings[*count];
    if (refused != nullptr && refused[*count]) {
      *reading = Reading{};
      reading->refusal = biometrics::Refusal::kMalformed;
    } else {
      biometrics::ReadReading(setting_->catalogue, item, *count + 1, kNeverAhead, reading);
    }
    (*count)++;
  }
  biometrics::MarkSuperseded(readings, *count);
  auto* replayed = static_cast<ReplayedReading*>(
      palloc_extended(sizeof(ReplayedReading) * static_cast<Size>(size + 1), MCXT_ALLOC_HUGE));
  for (int i = 0; i < *count; i++) replayed[i].reading = readings[i];
  return replayed;
}

core::Observation* Replay::Add(ReplicaSeries* series, int32 day) {
  MakeRoom(person_, &observations_, count_, &observation_capacity_);
  MakeRoom(person_, &origins_, count_, &origin_capacity_);
  observations_[count_] = core::Observation{};
  observations_[count_].metric = series->metric().name;
  origins_[count_] = {series, day};
  return &observations_[count_++];
}

// Shows the engine what of the delivery may decide; false: nothing may.
bool Replay::Observe(const core::Config& config, TimestampTz received_at,
                     const ReplayedReading* readings, int count) {
  count_ = 0;
  oldest_ = core::OldestThatDecides(config, received_at);
  auto* ends = static_cast<std::int64_t*>(
      palloc_extended(sizeof(std::int64_t) * (count + 1), MCXT_ALLOC_HUGE));
  int candidates = 0;
  for (int i = 0; i < count; i++) {
    if (!IsEligible(readings[i]) || readings[i].reading.end < oldest_) continue;
    ends[candidates++] = readings[i].reading.end;
  }
  if (candidates == 0) return false;
  oldest_ = core::CutOff(config, ends, candidates, oldest_);

  last_day_ = PG_INT32_MIN;
  for (int i = 0; i < count; i++) {
    const Reading& reading = readings[i].reading;
    if (!IsEligible(readings[i]) || reading.end < oldest_) continue;
    last_day_ = Max(last_day_, readings[i].stored.day);
    core::Observation* observation = Add(readings[i].series, readings[i].stored.day);
    observation->value = reading.value;
    observation->at_us = reading.end;
    observation->context = reading.context;
    observation->statistic = reading.statistic;
    observation->outside_soft_range = reading.Has(biometrics::Anomaly::kSoftRange);
    observation->late = reading.end < readings[i].newest_before;
    observation->standing = reading.known;
  }
  return true;
}

void Replay::AddStanding(const core::Config& config, int64 version) {
  if (!core::BringsAPart(config, observations_, count_)) return;
  for (int i = 0; i < replica_.series_count(); i++) {
    ReplicaSeries* series = replica_.series(i);
    if (!core::CountsWhileStanding(config, series->metric().name)) continue;
    const ReplicaReading* reading = series->Standing(oldest_, version, replica_.names());
    if (reading == nullptr) continue;
    core::Observation* observation = Add(series, reading->day);
    observation->value = reading->value;
    observation->at_us = reading->end;
    observation->context = reading->context;
    observation->statistic = reading->statistic;
    observation->standing = true;
  }
}

// Returns how many days of history the person has.
int Replay::HoldAgainstBaselines(const core::Config& config) {
  evaluation_++;
  for (int i = 0; i < count_; i++) {
    core::Observation* observation = &observations_[i];
    ReplicaSeries* series = origins_[i].series;
    if (observation->late || series->metric().baseline == biometrics::BaselineKind::kNone) {
      continue;
    }
    const core::DayBaseline& of_day = series->BaselineOf(origins_[i].day, last_day_);
    core::HoldAgainst(config, of_day.baseline,
                      biometrics::ComparableByZ(of_day.one_a_day, observation->statistic),
                      observation);
    series->asked_in = evaluation_;
    series->asked_days = of_day.baseline.days;
  }
  int days = 0;
  for (int i = 0; i < count_; i++) {
    const ReplicaSeries* series = origins_[i].series;
    if (series->asked_in == evaluation_) days = Max(days, series->asked_days);
  }
  if (days >= static_cast<int>(config.baselines.min_baseline_days)) return days;
  return replica_.HistoryDays(last_day_ - core::kLongWindowDays, last_day_);
}

void Replay::Deliver(const Event& event) {
  biometrics::Moment received;
  const std::string_view device = pg::TextMember(event.data, "source");
  // What a writer appends by hand under this name has never been ingested.
  if (event.metadata == nullptr || device.empty() ||
      !biometrics::ParseMoment(pg::TextMember(event.metadata, "received_at"), &received)) {
    return;
  }
  int64 config_version = -1;
  if (setting_->config == nullptr) {
    double number;
    config_version = NumberMember(event.metadata, "config_version", &number)
                         ? static_cast<int64>(number)
                         : setting_->history.VersionAt(event.created_at);
  }
  const core::Config& config =
      setting_->config != nullptr ? *setting_->config : setting_->history.At(config_version);

  int count;
  ReplayedReading* readings = Read(event, &count);
  replica_.Prepare(device, pg::TextMember(event.data, "delivery_id"), event.version, readings,
                   count);
  replica_.MarkKnown(readings, count);
  replica_.Store(readings, count);
  if (!Observe(config, received.microseconds, readings, count)) return;
  AddStanding(config, event.version);
  const int history_days = HoldAgainstBaselines(config);

  const core::CurrentMode current = {.mode = mode_.mode,
                                     .by_hand = mode_.by_hand,
                                     .ever_switched = mode_.ever_switched,
                                     .since_us = mode_.since,
                                     .calm = mode_.calm};
  pg::ThrowIfError(core::Decide(config, current, observations_, count_, history_days,
                                received.microseconds, &decision_));
  ReplayedStep step = {.at = received.microseconds,
                       .version = event.version,
                       .before = mode_,
                       .after = &mode_,
                       .trigger = core::TriggerName(decision_),
                       .confidence = decision_.confidence,
                       .config = &config,
                       .config_version = config_version,
                       .decision = &decision_,
                       .observations = observations_,
                       .count = count_};
  if (decision_.outcome == core::Outcome::kStay) mode_.calm = decision_.calm;
  if (decision_.outcome == core::Outcome::kSwitch) {
    mode_ = ReplayedMode{.mode = {},
                         .by_hand = false,
                         .ever_switched = true,
                         .since = received.microseconds,
                         .calm = 0};
    core::CopyText(mode_.mode, decision_.to_mode);
  }
  witness_.see(witness_.self, step);
}

void Replay::SwitchByHand(const Event& event) {
  JsonbValue by_hand;
  // Switches of 0.1.0 say it by their reason.
  const bool says = event.metadata != nullptr && pg::Member(event.metadata, "by_hand", &by_hand);
  const bool is_by_hand = says ? by_hand.type == jbvBool && by_hand.val.boolean
                               : pg::TextMember(event.data, "reason") == "set by hand";
  const std::string_view mode = pg::TextMember(event.data, "to_mode");
  if (!is_by_hand || mode.empty() || mode == mode_.mode) return;
  if (setting_->config != nullptr && setting_->config->FindMode(mode) == nullptr) return;
  double confidence = 0;
  (void)NumberMember(event.data, "confidence", &confidence);
  ReplayedStep step = {};
  step.at = event.created_at;
  step.version = event.version;
  step.before = mode_;
  step.after = &mode_;
  step.trigger = pg::CString(pg::TextMember(event.data, "trigger"));
  step.confidence = confidence;
  step.config = setting_->config;
  step.config_version = -1;
  mode_ = ReplayedMode{
      .mode = {}, .by_hand = true, .ever_switched = true, .since = event.created_at, .calm = 0};
  core::CopyText(mode_.mode, mode);
  witness_.see(witness_.self, step);
}

}  // namespace auren::neuros
