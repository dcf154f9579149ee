#include "core/findings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace auren::core {
namespace {

// The other triggers have a fixed number of metrics: 2 for hrv_drop, 1 each for heart rate and
// stress, 2 for recovery, 6 kinds of indicator. They always find room.
constexpr int kFixed = 12;
constexpr int kMaxAnomalies = 20;
constexpr int kMaxOfRules = kMaxFactors - kFixed - kMaxAnomalies;

int MostOf(Trigger trigger) noexcept {
  if (trigger == Trigger::kAnomalousReading) return kMaxAnomalies;
  return trigger == Trigger::kRule ? kMaxOfRules : kFixed;
}

// NaN has no order; no finding holds minus infinity.
double Orderable(double value) noexcept {
  return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
}

std::string_view RuleName(const Finding& f) noexcept {
  return f.rule == nullptr ? std::string_view{} : std::string_view{f.rule->name};
}

auto Rank(const Finding& f) noexcept {
  return std::tuple(!f.fired, -f.contribution, -f.severity, f.trigger, f.indicator, f.metric,
                    f.value, Orderable(f.reference), Orderable(f.limit), Orderable(f.z), f.days,
                    f.by_default, f.borderline, RuleName(f), f.condition);
}

bool SameThing(const Finding& a, const Finding& b) noexcept {
  if (a.trigger != b.trigger || a.indicator != b.indicator) return false;
  if (a.trigger == Trigger::kRule) return a.rule == b.rule && a.condition == b.condition;
  return a.indicator != Indicator::kNone || a.metric == b.metric;
}

// Whether two findings speak of the same sign of the body.
bool SameEvidence(const Finding& a, const Finding& b) noexcept {
  const Indicator indicator = IndicatorOf(a.id);
  return indicator == Indicator::kNone ? a.metric == b.metric : indicator == IndicatorOf(b.id);
}

}  // namespace

bool Stronger(const Finding& a, const Finding& b) noexcept { return Rank(a) < Rank(b); }

void Findings::Add(const Finding& finding) noexcept {
  if (!finding.fired && !finding.borderline) return;
  Finding* weakest = nullptr;  // of its trigger
  int alike = 0;
  for (Finding* kept = findings_; kept != findings_ + count_; ++kept) {
    if (SameThing(*kept, finding)) {
      if (Stronger(finding, *kept)) *kept = finding;
      return;
    }
    if (kept->trigger != finding.trigger) continue;
    ++alike;
    if (weakest == nullptr || Stronger(*weakest, *kept)) weakest = kept;
  }
  if (weakest == nullptr || alike < MostOf(finding.trigger)) {
    findings_[count_++] = finding;
  } else if (Stronger(finding, *weakest)) {
    *weakest = finding;
  }
}

void Findings::Sort() noexcept { std::sort(findings_, findings_ + count_, Stronger); }

double Findings::Strength(Trigger trigger) const noexcept {
  double doubt = 1;
  for (const Finding& finding : *this) {
    if (finding.trigger == trigger) doubt *= 1 - finding.contribution;
  }
  return 1 - doubt;
}

double Findings::Confidence() const noexcept {
  double doubt = 1;
  for (const Finding& finding : *this) {
    const bool counted = std::any_of(begin(), &finding, [&](const Finding& stronger) {
      return SameEvidence(stronger, finding);
    });
    if (!counted) doubt *= 1 - finding.contribution;
  }
  return 1 - doubt;
}

}  // namespace auren::core
