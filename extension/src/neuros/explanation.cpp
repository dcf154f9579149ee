// neuros.evaluation: one evaluation of a person, worked out again from the stored events, with what
// each factor was held against, in numbers and in words. neuros.explain is made of it.
#include <cmath>

#include "core/explanation.h"
#include "neuros/factor_json.h"
#include "neuros/people.h"
#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::neuros {
namespace {

// The newest evaluation so far, and the mode at the end.
struct Seen {
  bool any;
  ReplayedStep step;  // of the evaluation; what it points to is kept here
  ReplayedMode after;
  core::Decision decision;
  core::Observation* observations;
  MemoryContext context;
};

void See(void* self, const ReplayedStep& step) {
  Seen* seen = static_cast<Seen*>(self);
  // Nothing judged is no evaluation; a switch by hand changes only the mode.
  if (step.decision == nullptr || step.decision->outcome == core::Outcome::kNone) {
    if (step.decision == nullptr) seen->after = *step.after;
    return;
  }
  if (seen->observations != nullptr) pfree(seen->observations);
  const Size size = sizeof(core::Observation) * static_cast<Size>(step.count);
  seen->observations = static_cast<core::Observation*>(
      MemoryContextAllocExtended(seen->context, size, MCXT_ALLOC_HUGE));
  memcpy(seen->observations, step.observations, size);
  seen->any = true;
  seen->step = step;
  seen->after = *step.after;
  seen->decision = *step.decision;
}

// The observation a factor was found in; nullptr when there is none with its metric and value.
const core::Observation* EvidenceOf(const Seen& seen, const core::Factor& factor) {
  for (int i = 0; i < seen.step.count; i++) {
    const core::Observation& observation = seen.observations[i];
    if (observation.metric == factor.metric && observation.value == factor.value) {
      return &observation;
    }
  }
  return nullptr;
}

// The person's own baseline, in the metric's unit; of HRV with the unit in the names.
void AddBaseline(const core::Observation& observation, pg::JsonbBuilder* json) {
  const core::Baseline& baseline = observation.baseline;
  if (baseline.days == 0) return json->Null();
  const core::Deviation deviation = core::Deviate(baseline, observation.value);
  const char* unit = observation.metric.starts_with("hrv_") ? "_ms" : "";
  json->BeginObject();
  json->Add("days", baseline.days);
  json->Add("reference", baseline.Reference());
  json->Add("scale", baseline.scale == core::Scale::kLog ? "log" : "linear");
  json->Add("mean", baseline.mean);
  json->Add("sd", baseline.sd);
  json->Add("z", deviation.z);
  json->Add(psprintf("baseline7%s", unit), baseline.ShortReference());
  json->Add(*unit == '\0' ? "drop" : "drop_ms", deviation.short_drop);
  json->Add("drop_pct", deviation.short_drop_percent);
  json->EndObject();
}

const char* SentenceOf(const Seen& seen, const core::Factor& factor) {
  const core::Observation* evidence = EvidenceOf(seen, factor);
  char sentence[core::kMaxExplanation];
  core::DescribeFactor(factor, evidence == nullptr ? 0 : evidence->baseline.days,
                       core::ShareOf(seen.decision, factor), sentence);
  return pstrdup(sentence);
}

void Tell(const Seen& seen, const core::Factor& factor, pg::JsonbBuilder* json) {
  const core::Observation* evidence = EvidenceOf(seen, factor);
  json->BeginObject();
  AddFactor(factor, json);
  json->Add("share", core::ShareOf(seen.decision, factor));
  json->Key("own_baseline");
  evidence == nullptr ? json->Null() : AddBaseline(*evidence, json);
  json->Add("sentence", SentenceOf(seen, factor));
  json->EndObject();
}

// Until when only a higher mode may be entered; DT_NOBEGIN: no cooldown is on.
TimestampTz CooldownUntil(const Seen& seen) {
  if (!seen.after.ever_switched) return DT_NOBEGIN;
  const double seconds = seen.step.config->thresholds.mode_switch_cooldown_seconds;
  const TimestampTz until = seen.after.since + static_cast<int64>(seconds * USECS_PER_SEC);
  return until > seen.step.at ? until : DT_NOBEGIN;
}

// The modes of a higher priority than the person's.
const char* HigherModes(const Seen& seen) {
  const core::Config& config = *seen.step.config;
  const core::Mode* held = config.FindMode(seen.after.mode);
  StringInfoData names;
  initStringInfo(&names);
  for (int i = 0; i < config.mode_count; i++) {
    if (held != nullptr && config.modes[i].priority <= held->priority) continue;
    appendStringInfo(&names, "%s%s", names.len == 0 ? "" : ", ", config.modes[i].name);
  }
  return names.len == 0 ? "none" : names.data;
}

// What would change the mode, in one sentence.
const char* WhatWouldChange(const Seen& seen) {
  const char* higher = HigherModes(seen);
  if (seen.after.by_hand) {
    return psprintf("%s was set by hand and is left only for a higher mode (%s) or by hand.",
                    seen.after.mode, higher);
  }
  const int needed = static_cast<int>(seen.step.config->thresholds.calm_evaluations);
  const char* calm = psprintf("%d of %d calm evaluations are counted", seen.after.calm, needed);
  const TimestampTz until = CooldownUntil(seen);
  if (until == DT_NOBEGIN) {
    return psprintf("Any trigger whose mode is not %s changes it; %s.", seen.after.mode, calm);
  }
  return psprintf("Until %s only a higher mode (%s) may be entered; %s.", timestamptz_to_str(until),
                  higher, calm);
}

void AddWords(const Seen& seen, pg::JsonbBuilder* json) {
  const core::Decision& decision = seen.decision;
  json->BeginArray();
  if (decision.outcome == core::Outcome::kSwitch) {
    json->String(psprintf("The mode went from %s to %s by %s: %s.", seen.step.before.mode,
                          decision.to_mode, core::TriggerName(decision), decision.reason));
  } else {
    json->String(psprintf("The mode stayed %s: %s.", seen.step.before.mode, decision.reason));
  }
  for (int i = 0; i < decision.factor_count; i++) {
    json->String(psprintf("%s.", SentenceOf(seen, decision.factors[i])));
  }
  if (decision.confidence > 0) {
    json->String(psprintf("The confidence is %.2f%s.", decision.confidence,
                          decision.borderline ? ", all of it borderline" : ""));
  }
  json->String(seen.step.config_version == 0
                   ? "It was decided by the built-in configuration."
                   : psprintf("It was decided by version " INT64_FORMAT " of the configuration.",
                              seen.step.config_version));
  json->EndArray();
}

Jsonb* Describe(const Seen& seen) {
  constexpr const char* kOutcomes[] = {"none", "stay", "switch"};
  const core::Decision& decision = seen.decision;
  pg::JsonbBuilder json;
  json.BeginObject();
  json.Key("at");
  json.Timestamp(seen.step.at);
  json.Add("version", seen.step.version);
  json.Add("outcome", kOutcomes[static_cast<int>(decision.outcome)]);
  json.Add("from_mode", seen.step.before.mode);
  json.Add("mode", seen.after.mode);
  json.Add("trigger", core::TriggerName(decision));
  json.Add("confidence", decision.confidence);
  json.Add("reason", decision.reason);
  json.Add("borderline", decision.borderline);
  json.Add("held_by_cooldown", decision.held_by_cooldown);
  json.Add("config_version", seen.step.config_version);
  json.Add("calm", seen.after.calm);
  json.Add("calm_needed", seen.step.config->thresholds.calm_evaluations);
  json.Key("cooldown_until");
  const TimestampTz until = CooldownUntil(seen);
  until == DT_NOBEGIN ? json.Null() : json.Timestamp(until);
  json.Add("would_change", WhatWouldChange(seen));
  json.Key("factors");
  json.BeginArray();
  for (int i = 0; i < decision.factor_count; i++) Tell(seen, decision.factors[i], &json);
  json.EndArray();
  json.Key("words");
  AddWords(seen, &json);
  json.EndObject();
  return json.Finish();
}

}  // namespace
}  // namespace auren::neuros

AUREN_SQL_FUNCTION(neuros_evaluation) {
  using namespace auren;
  pg::RequireNotNull(fcinfo, 0, "p_user_id");
  pg::RequireNotNull(fcinfo, 1, "p_version");
  const pg::SpiSession spi = pg::SpiBegin();
  auto* setting = static_cast<neuros::ReplaySetting*>(palloc0(sizeof(neuros::ReplaySetting)));
  setting->catalogue = biometrics::LoadCatalogue();
  setting->history.Load();
  auto* seen = static_cast<neuros::Seen*>(palloc0(sizeof(neuros::Seen)));
  seen->context = CurrentMemoryContext;
  neuros::ReplayPerson(*setting, pg::TextArgument(fcinfo, 0), PG_GETARG_INT64(1),
                       {neuros::See, seen});
  Datum result = Datum{0};
  if (seen->any) result = pg::CopyOut(JsonbPGetDatum(neuros::Describe(*seen)));
  const bool any = seen->any;
  pg::SpiEnd(spi);
  if (!any) PG_RETURN_NULL();
  return result;
}
