#include "core/reason.h"

#include <cmath>
#include <cstdio>

namespace auren::core {
namespace {

// The strongest finding that fired the trigger. REQUIRES: there is one.
const Finding& StrongestOf(Trigger trigger, const Findings& findings) noexcept {
  const Finding* finding = findings.begin();
  while (finding->trigger != trigger) ++finding;
  return *finding;
}

void AddMetric(const Finding& finding, Sentence* sentence) noexcept {
  const std::string_view metric = Clip(finding.metric, sizeof(Factor::metric) - 1);
  sentence->Add("%.*s %s", Length(metric), metric.data(), Show(finding.id, finding.value).text);
}

void AddReference(const Finding& finding, Sentence* sentence) noexcept {
  const Shown reference = Show(finding.id, finding.reference);
  if (finding.by_default) {
    sentence->Add("the default reference of %s", reference.text);
  } else {
    sentence->Add("the %d-day reference of %s", finding.days, reference.text);
  }
}

void AddHrvDrop(const Finding& finding, Sentence* sentence) noexcept {
  const double drop = finding.reference - finding.value;
  AddMetric(finding, sentence);
  sentence->Add(" is %s (%.0f %%) below ", Show(finding.id, drop).text,
                100 * drop / finding.reference);
  AddReference(finding, sentence);
}

void AddAnomaly(const Finding& finding, Sentence* sentence) noexcept {
  AddMetric(finding, sentence);
  if (std::isnan(finding.z)) {
    sentence->Add(" is outside its expected range");
    return;
  }
  sentence->Add(" is %.1f standard deviations %s ", std::fabs(finding.z),
                finding.z < 0 ? "below" : "above");
  AddReference(finding, sentence);
}

void AddLowIndicators(const Findings& findings, Sentence* sentence) noexcept {
  int low = 0;
  for (const Finding& finding : findings) {
    if (finding.fired && finding.trigger == Trigger::kLowIndicators) ++low;
  }
  sentence->Add("%d low indicators", low);
  const char* separator = ": ";
  for (const Finding& finding : findings) {
    if (!finding.fired || finding.trigger != Trigger::kLowIndicators) continue;
    sentence->Add("%s", separator);
    AddMetric(finding, sentence);
    separator = ", ";
  }
}

void AddAgainstLimit(const Finding& finding, const char* relation, const char* condition,
                     Sentence* sentence) noexcept {
  AddMetric(finding, sentence);
  sentence->Add(" is %s %s%s", relation, Show(finding.id, finding.limit).text, condition);
}

// A condition of a rule that fired.
void AddCondition(const Finding& finding, Sentence* sentence) noexcept {
  const Comparison comparison = finding.rule->conditions[finding.condition].comparison;
  switch (comparison) {
    case Comparison::kAbove:
      return AddAgainstLimit(finding, "above", "", sentence);
    case Comparison::kBelow:
      return AddAgainstLimit(finding, "below", "", sentence);
    case Comparison::kAtLeast:
      return AddAgainstLimit(finding, "at least", "", sentence);
    case Comparison::kAtMost:
      return AddAgainstLimit(finding, "at most", "", sentence);
    case Comparison::kDropPercent:
    case Comparison::kRisePercent: {
      const double change = 100 * std::fabs(finding.value / finding.reference - 1);
      AddMetric(finding, sentence);
      sentence->Add(" is %.0f %% %s ", change,
                    comparison == Comparison::kDropPercent ? "below" : "above");
      return AddReference(finding, sentence);
    }
    case Comparison::kZAbove:
    case Comparison::kZBelow:
    case Comparison::kOutsideSoftRange:
    case Comparison::kNone:
      return AddAnomaly(finding, sentence);
  }
}

// In the order of the conditions.
void AddRule(const Rule& rule, const Findings& findings, Sentence* sentence) noexcept {
  sentence->Add("%s", rule.name);
  const char* separator = ": ";
  for (int i = 0; i < rule.condition_count; ++i) {
    for (const Finding& finding : findings) {
      if (!finding.fired || finding.rule != &rule || finding.condition != i) continue;
      sentence->Add("%s", separator);
      AddCondition(finding, sentence);
      separator = " and ";
    }
  }
}

void AddOthers(const Config& config, Trigger trigger, const Rule* rule, const Findings& findings,
               Sentence* sentence) noexcept {
  const char* separator = "; also ";
  for (int i = 0; i < static_cast<int>(Trigger::kCalm); ++i) {
    const Trigger other = static_cast<Trigger>(i);
    if (other == trigger || findings.Strength(other) <= 0) continue;
    sentence->Add("%s%s", separator, Name(other));
    separator = ", ";
  }
  for (int i = 0; i < config.rule_count; ++i) {
    if (&config.rules[i] == rule || findings.Strength(i) <= 0) continue;
    sentence->Add("%s%s", separator, config.rules[i].name);
    separator = ", ";
  }
}

}  // namespace

void Sentence::Add(const char* format, ...) noexcept {
  va_list args;
  va_start(args, format);
  const int added = std::vsnprintf(text_ + used_, sizeof text_ - used_, format, args);
  va_end(args);
  if (added > 0) used_ = std::min(used_ + static_cast<std::size_t>(added), sizeof text_ - 1);
}

void Explain(const Config& config, Trigger trigger, const Rule* rule, const Findings& findings,
             Sentence* sentence) noexcept {
  if (rule != nullptr) {
    AddRule(*rule, findings, sentence);
    AddOthers(config, trigger, rule, findings, sentence);
    return;
  }
  const Finding& finding = StrongestOf(trigger, findings);
  switch (trigger) {
    case Trigger::kHrvDrop:
      AddHrvDrop(finding, sentence);
      break;
    case Trigger::kHeartRateElevated:
      AddAgainstLimit(finding, "above", " outside exercise", sentence);
      break;
    case Trigger::kStressCritical:
      AddAgainstLimit(finding, "above", "", sentence);
      break;
    case Trigger::kRecoveryLow:
      AddAgainstLimit(finding, "below", "", sentence);
      break;
    case Trigger::kLowIndicators:
      AddLowIndicators(findings, sentence);
      break;
    case Trigger::kAnomalousReading:
      AddAnomaly(finding, sentence);
      break;
    case Trigger::kCalm:
    case Trigger::kRule:
      break;
  }
  AddOthers(config, trigger, rule, findings, sentence);
}

}  // namespace auren::core
