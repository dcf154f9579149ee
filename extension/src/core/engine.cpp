#include "core/engine.h"

#include <algorithm>
#include <new>

#include "core/reason.h"
#include "core/text.h"
#include "core/triggers.h"

namespace auren::core {
namespace {

constexpr char kBaselineMode[] = "baseline";
constexpr char kPatternMode[] = "pattern";

// In the order of Trigger, kCalm left out.
constexpr const char* kModeOfTrigger[] = {"reflex",   "reflex",   "reflex",
                                          "guardian", "guardian", "hypothesis"};
constexpr int kTriggers = static_cast<int>(std::size(kModeOfTrigger));
static_assert(kTriggers == static_cast<int>(Trigger::kCalm));

// The mode the triggers and rules ask for, by the one of them that is strongest.
struct Winner {
  const Mode* mode = nullptr;  // nullptr: nothing fired
  Trigger trigger = Trigger::kCalm;
  const Rule* rule = nullptr;  // kRule only
  double strength = 0;
  bool borderline = true;
};

Status MissingMode(const char* name) noexcept {
  return Status::Error(Code::kInternal, "mode \"%s\" is missing from the configuration", name);
}

void Consider(const Mode& mode, Trigger trigger, const Rule* rule, double strength,
              Winner* winner) noexcept {
  const bool higher = winner->mode == nullptr || mode.priority > winner->mode->priority;
  if (!higher && (&mode != winner->mode || strength <= winner->strength)) return;
  winner->mode = &mode;
  winner->trigger = trigger;
  winner->rule = rule;
  winner->strength = strength;
}

const Mode* ModeOf(const Config& config, const Finding& finding) noexcept {
  if (finding.rule != nullptr) return &config.modes[finding.rule->mode];
  return config.FindMode(kModeOfTrigger[static_cast<int>(finding.trigger)]);
}

// The highest priority wins; of equal ones, the mode of the earlier trigger, then of the earlier
// rule.
Status ChooseMode(const Config& config, const Findings& findings, Winner* winner) noexcept {
  for (int i = 0; i < kTriggers; ++i) {
    const double strength = findings.Strength(static_cast<Trigger>(i));
    if (strength <= 0) continue;
    const Mode* mode = config.FindMode(kModeOfTrigger[i]);
    if (mode == nullptr) return MissingMode(kModeOfTrigger[i]);
    Consider(*mode, static_cast<Trigger>(i), nullptr, strength, winner);
  }
  for (int i = 0; i < config.rule_count; ++i) {
    const Rule& rule = config.rules[i];
    const double strength = findings.Strength(i);
    if (strength > 0) {
      Consider(config.modes[rule.mode], Trigger::kRule, &rule, strength, winner);
    }
  }
  for (const Finding& finding : findings) {
    if (!finding.fired || finding.borderline) continue;
    if (ModeOf(config, finding) == winner->mode) winner->borderline = false;
  }
  return Status::Ok();
}

// Seconds of the cooldown that are left; 0 or less when it is over. A delivery from before the
// switch is inside it.
double CooldownLeft(const Config& config, const CurrentMode& current,
                    std::int64_t now_us) noexcept {
  constexpr double kMicroseconds = 1e6;
  if (!current.ever_switched) return 0;
  const double since =
      (static_cast<double>(now_us) - static_cast<double>(current.since_us)) / kMicroseconds;
  return config.thresholds.mode_switch_cooldown_seconds - since;
}

void SwitchTo(const char* mode, Decision* decision) noexcept {
  decision->outcome = Outcome::kSwitch;
  CopyText(decision->to_mode, mode);
}

// A trigger fired: enter its mode, unless it is held, the cooldown is on, or a person chose better.
void DecideByTrigger(const Config& config, const CurrentMode& current, const Findings& findings,
                     const Winner& winner, double cooldown_left, Decision* decision) noexcept {
  const Mode* held = config.FindMode(current.mode);
  const bool higher = held == nullptr || winner.mode->priority > held->priority;
  Sentence reason;
  Explain(config, winner.trigger, winner.rule, findings, &reason);

  decision->outcome = Outcome::kStay;
  decision->calm = 0;
  decision->trigger = winner.trigger;
  if (winner.rule != nullptr) CopyText(decision->rule, winner.rule->name);
  decision->borderline = winner.borderline;
  decision->confidence = findings.Confidence();
  if (winner.mode->name == current.mode) {
    // Already there.
  } else if (current.by_hand && !higher) {
    reason.Add("; the mode was set by hand and stays");
  } else if (cooldown_left > 0 && !higher) {
    decision->held_by_cooldown = true;
    reason.Add("; held by the cooldown for another %.0f s", cooldown_left);
  } else {
    SwitchTo(winner.mode->name, decision);
  }
  reason.CopyTo(decision->reason);
}

// Nothing fired: count towards calm, and settle when there is enough of it.
Status DecideByCalm(const Config& config, const CurrentMode& current, int history_days,
                    double cooldown_left, Decision* decision) noexcept {
  decision->outcome = Outcome::kStay;
  decision->trigger = Trigger::kCalm;
  decision->calm = 0;
  Sentence reason;
  reason.Add("no trigger");
  if (current.by_hand) {
    reason.Add("; the mode was set by hand and stays");
    reason.CopyTo(decision->reason);
    return Status::Ok();
  }
  if (cooldown_left > 0) {
    reason.Add("; the cooldown lasts another %.0f s", cooldown_left);
    reason.CopyTo(decision->reason);
    return Status::Ok();
  }

  const int needed = static_cast<int>(config.thresholds.calm_evaluations);
  const int days_needed = static_cast<int>(config.baselines.min_baseline_days);
  const bool has_history = history_days >= days_needed;
  const char* target = has_history ? kPatternMode : kBaselineMode;
  decision->calm = std::clamp(current.calm, 0, needed - 1) + 1;
  reason.Add(" in %d of %d evaluations", decision->calm, needed);
  if (!has_history) reason.Add(", history is %d of %d days", history_days, days_needed);

  if (decision->calm == needed && current.mode != target) {
    if (config.FindMode(target) == nullptr) return MissingMode(target);
    SwitchTo(target, decision);
    // Each calm evaluation halves the doubt; too little history adds to it.
    double doubt = 1;
    for (int i = 0; i < needed; ++i) doubt /= 2;
    decision->confidence = (1 - doubt) * (has_history ? 1.0 : kDefaultDiscount);
    decision->calm = 0;
  }
  reason.CopyTo(decision->reason);
  return Status::Ok();
}

void ExplainNothing(const Screening& screening, Decision* decision) noexcept {
  Sentence reason;
  reason.Add("no reading that may decide: %d too old, %d pending or calibrating, %d late",
             screening.old, screening.unsettled, screening.late);
  reason.CopyTo(decision->reason);
}

void CopyFactors(const Findings& findings, Decision* decision) noexcept {
  for (const Finding& finding : findings) {
    Factor& factor = decision->factors[decision->factor_count++];
    factor.trigger = finding.trigger;
    CopyText(factor.rule, finding.rule == nullptr ? "" : finding.rule->name);
    CopyText(factor.metric, finding.metric);
    CopyText(factor.indicator, Name(finding.indicator));
    factor.value = finding.value;
    factor.baseline = finding.reference;
    factor.threshold = finding.limit;
    factor.z = finding.z;
    factor.low = finding.low;
    factor.high = finding.high;
    factor.contribution = finding.contribution;
    factor.fired = finding.fired;
    factor.borderline = finding.borderline;
    factor.baseline_is_default = finding.by_default;
  }
}

}  // namespace

Status Decide(const Config& config, const CurrentMode& current, const Observation* observations,
              int count, int history_days, std::int64_t now_us, Decision* decision) noexcept {
  ::new (decision)
      Decision;  // without clearing all factors: those behind factor_count are not told
  Screening screening;
  const Findings findings = FindTriggers(config, observations, count, now_us, &screening);
  if (screening.usable == 0) {
    decision->calm = current.calm;
    ExplainNothing(screening, decision);
    return Status::Ok();
  }

  CopyFactors(findings, decision);
  Winner winner;
  if (Status status = ChooseMode(config, findings, &winner); !status.ok()) return status;
  const double cooldown_left = CooldownLeft(config, current, now_us);
  if (winner.mode == nullptr) {
    return DecideByCalm(config, current, history_days, cooldown_left, decision);
  }
  DecideByTrigger(config, current, findings, winner, cooldown_left, decision);
  return Status::Ok();
}

}  // namespace auren::core
