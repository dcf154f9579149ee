#include "core/explanation.h"

#include <cmath>

#include "core/metrics.h"
#include "core/reason.h"

namespace auren::core {
namespace {

const char* Side(double value, double of) noexcept { return value < of ? "below" : "above"; }

void AddReference(const Factor& factor, int days, const Shown& reference,
                  Sentence* sentence) noexcept {
  if (factor.baseline_is_default) {
    sentence->Add("the default reference of %s", reference.text);
  } else if (days > 0) {
    sentence->Add("the %d-day reference of %s", days, reference.text);
  } else {
    sentence->Add("the reference of %s", reference.text);
  }
}

void AddDeviation(const Factor& factor, MetricId id, int days, Sentence* sentence) noexcept {
  const bool of_rule = factor.trigger == Trigger::kRule;
  if ((of_rule || factor.trigger == Trigger::kAnomalousReading) && !std::isnan(factor.z)) {
    sentence->Add(" is %.1f standard deviations %s ", std::fabs(factor.z),
                  factor.z < 0 ? "below" : "above");
    AddReference(factor, days, Show(id, factor.baseline), sentence);
    sentence->Add("; %s %.1f", of_rule ? "the threshold is" : "an anomaly begins at",
                  factor.threshold);
    return;
  }
  if (std::isnan(factor.threshold)) {
    sentence->Add(" is outside its expected range");
    return;
  }
  if (!std::isnan(factor.baseline)) {
    const double distance = std::fabs(factor.value - factor.baseline);
    sentence->Add(" is %s", Show(id, distance).text);
    if (factor.baseline > 0) sentence->Add(" (%.0f %%)", 100 * distance / factor.baseline);
    sentence->Add(" %s ", Side(factor.value, factor.baseline));
    AddReference(factor, days, Show(id, factor.baseline), sentence);
  } else {
    const double distance = std::fabs(factor.value - factor.threshold);
    sentence->Add(" is %s %s the threshold of %s", Show(id, distance).text,
                  Side(factor.value, factor.threshold), Show(id, factor.threshold).text);
    return;
  }
  sentence->Add("; the threshold is %s", Show(id, factor.threshold).text);
}

}  // namespace

void DescribeFactor(const Factor& factor, int days, double share,
                    char (&sentence)[kMaxExplanation]) noexcept {
  const MetricId id = Identify(factor.metric);
  Sentence words;
  words.Add("%s %s", factor.metric, Show(id, factor.value).text);
  AddDeviation(factor, id, days, &words);
  if (!factor.fired) {
    words.Add(": %s nearly fired", TriggerName(factor));
  } else {
    words.Add(": %s fired%s, with %.0f %% of the evidence", TriggerName(factor),
              factor.borderline ? " by a hair" : "", 100 * share);
  }
  words.CopyTo(sentence);
}

double ShareOf(const Decision& decision, const Factor& factor) noexcept {
  double all = 0;
  for (int i = 0; i < decision.factor_count; ++i) all += decision.factors[i].contribution;
  return all > 0 ? factor.contribution / all : 0;
}

}  // namespace auren::core
