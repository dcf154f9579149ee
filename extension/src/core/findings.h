// Findings: what the triggers saw in one delivery, the strongest of each kind. Internal to the
// core.
//
// A finding is kept when it fired or nearly did. Of several about the same thing (the same trigger,
// metric and indicator, or the same condition of a rule) the strongest stays, so ten thousand high
// heart rates are one finding. The
// order is total over all that a finding says: the order of the readings can not be told from it.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/engine.h"
#include "core/metrics.h"

namespace auren::core {

struct Finding {
  Trigger trigger = Trigger::kCalm;
  MetricId id = MetricId::kOther;
  std::string_view metric;
  Indicator indicator = Indicator::kNone;
  const Rule* rule = nullptr;  // Trigger::kRule only, with the condition of it
  int condition = 0;
  double value = 0;
  double reference = 0;  // NaN when there is none
  double limit = 0;      // NaN when unknown
  double z = 0;          // NaN when not taken
  double low = 0,
         high = 0;      // where z reaches its threshold, in the metric's unit; NaN when not by z
  double severity = 0;  // how far beyond the limit, against its distance; negative when missed
  double contribution = 0;  // 0 unless fired
  int days = 0;             // of history behind the reference
  bool fired = false;
  bool borderline = false;
  bool by_default = false;
};

// The order: fired before not fired, then by contribution, then by severity.
bool Stronger(const Finding& a, const Finding& b) noexcept;

class Findings {
 public:
  // Keeps `finding` unless a stronger one says the same, or it neither fired nor nearly did.
  void Add(const Finding& finding) noexcept;

  // Says that a rule of the configuration fired, and how sure its conditions are together.
  void RuleFired(int rule, double strength) noexcept { rule_strengths_[rule] = strength; }

  // Strongest first; to be called before anything is read.
  void Sort() noexcept;

  const Finding* begin() const noexcept { return findings_; }
  const Finding* end() const noexcept { return findings_ + count_; }

  // How sure one trigger, one rule, or all that fired together, are: 1 - product(1 - contribution).
  // In the second a sign of the body counts once, with its strongest finding: a metric, or all
  // metrics of one kind of low indicator, are one piece of evidence however many triggers they
  // fire.
  double Strength(Trigger trigger) const noexcept;
  double Strength(int rule) const noexcept { return rule_strengths_[rule]; }  // 0: did not fire
  double Confidence() const noexcept;

 private:
  Finding findings_[kMaxFactors];
  int count_ = 0;
  double rule_strengths_[kMaxRules] = {};
};

}  // namespace auren::core
