#include "core/config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/spelling.h"
#include "core/text.h"

namespace auren::core {
namespace {

constexpr char kThresholdsSection[] = "thresholds";
constexpr char kBaselinesSection[] = "baselines";

// One row per number: what users may write, and where it is kept (one of the two members).
struct Row {
  NumberKey key;
  double Thresholds::*threshold;
  double BaselineDefaults::*baseline;
};

constexpr Row ThresholdRow(const char* key, double min, double max, bool whole, const char* unit,
                           double Thresholds::*member) {
  return {{kThresholdsSection, key, min, max, whole, unit}, member, nullptr};
}

constexpr Row BaselineRow(const char* key, double min, double max, bool whole, const char* unit,
                          double BaselineDefaults::*member) {
  return {{kBaselinesSection, key, min, max, whole, unit}, nullptr, member};
}

using T = Thresholds;
using B = BaselineDefaults;

constexpr Row kRows[] = {
    ThresholdRow("hrv_drop_ms", 1, 200, false, "ms", &T::hrv_drop_ms),
    ThresholdRow("hrv_drop_percentage", 1, 100, false, "%", &T::hrv_drop_percentage),
    ThresholdRow("heart_rate_elevated", 40, 220, false, "/min", &T::heart_rate_elevated),
    ThresholdRow("stress_level_critical", 0, 1, false, "", &T::stress_level_critical),
    ThresholdRow("recovery_low_percentage", 0, 100, false, "%", &T::recovery_low_percentage),
    ThresholdRow("anomaly_z", 1, 10, false, "", &T::anomaly_z),
    ThresholdRow("borderline_margin", 0, 0.5, false, "", &T::borderline_margin),
    ThresholdRow("mode_switch_cooldown_seconds", 0, 86400, false, "s",
                 &T::mode_switch_cooldown_seconds),
    ThresholdRow("calm_evaluations", 1, 100, true, "", &T::calm_evaluations),
    ThresholdRow("max_reading_age_seconds", 60, 604800, false, "s", &T::max_reading_age_seconds),
    ThresholdRow("max_recent_readings", 100, 100000, true, "", &T::max_recent_readings),
    BaselineRow("hrv_default", 5, 250, false, "ms", &B::hrv_default),
    BaselineRow("heart_rate_default", 30, 150, false, "/min", &B::heart_rate_default),
    BaselineRow("min_baseline_days", 1, 60, true, "days", &B::min_baseline_days),
};
constexpr int kRowCount = static_cast<int>(std::size(kRows));

constexpr auto kKeys = [] {
  std::array<NumberKey, kRowCount> keys{};
  for (int i = 0; i < kRowCount; ++i) keys[i] = kRows[i].key;
  return keys;
}();

double& Slot(Config* config, const Row& row) noexcept {
  return row.threshold != nullptr ? config->thresholds.*row.threshold
                                  : config->baselines.*row.baseline;
}

const Row* FindRow(std::string_view section, std::string_view key) noexcept {
  for (const Row& row : kRows) {
    if (section == row.key.section && key == row.key.key) return &row;
  }
  return nullptr;
}

// The nearest key of any section, if it is near enough to be meant. Of two equally near ones the
// section's own wins.
const Row* NearestRow(std::string_view section, std::string_view key) noexcept {
  const Row* nearest = nullptr;
  int best = 2 * (MostSlips(key) + 1);
  for (const Row& row : kRows) {
    const int elsewhere = section == row.key.section ? 0 : 1;
    const int distance = 2 * EditDistance(key, row.key.key) + elsewhere;
    if (distance < best) {
      best = distance;
      nearest = &row;
    }
  }
  return nearest;
}

Status UnknownSection(std::string_view section) noexcept {
  const std::string_view shown = Clip(section, kMaxModeName);
  return Status::Error(Code::kInvalid, "unknown section \"%.*s\" in the configuration",
                       Length(shown), shown.data())
      .WithHint("The sections are thresholds, baselines and modes.");
}

Status UnknownKey(std::string_view section, std::string_view key) noexcept {
  const std::string_view shown = Clip(key, kMaxModeName);
  const Status status = Status::Error(Code::kInvalid, "unknown key \"%.*s\" in %.*s", Length(shown),
                                      shown.data(), Length(section), section.data());
  if (const Row* nearest = NearestRow(section, key)) {
    if (section == nearest->key.section) {
      return status.WithHint("Did you mean \"%s\"?", nearest->key.key);
    }
    return status.WithHint("Did you mean \"%s\" in %s?", nearest->key.key, nearest->key.section);
  }
  char known[sizeof status.hint] = {};
  std::size_t used = 0;
  for (const Row& row : kRows) {
    if (section != row.key.section) continue;
    used += std::snprintf(known + used, sizeof known - used, "%s%s", used == 0 ? "" : ", ",
                          row.key.key);
  }
  return status.WithHint("Known keys: %s.", known);
}

Status CheckNumber(const NumberKey& key, double value) noexcept {
  const bool in_range = value >= key.min && value <= key.max;  // false for NaN
  if (in_range && (!key.whole || value == std::floor(value))) return Status::Ok();
  const char* space = key.unit[0] == '\0' ? "" : " ";
  return Status::Error(Code::kInvalid, "%s.%s is %.15g, which is not allowed", key.section, key.key,
                       value)
      .WithHint("Use a %snumber from %.15g to %.15g%s%s.", key.whole ? "whole " : "", key.min,
                key.max, space, key.unit);
}

// The row of a key, or why there is none.
Status Resolve(std::string_view section, std::string_view key, const Row** row) noexcept {
  if (section != kThresholdsSection && section != kBaselinesSection) return UnknownSection(section);
  *row = FindRow(section, key);
  return *row != nullptr ? Status::Ok() : UnknownKey(section, key);
}

}  // namespace

const NumberKey* NumberKeys(int* count) noexcept {
  *count = kRowCount;
  return kKeys.data();
}

Status SetNumber(Config* config, std::string_view section, std::string_view key,
                 double value) noexcept {
  const Row* row = nullptr;
  if (Status status = Resolve(section, key, &row); !status.ok()) return status;
  if (Status status = CheckNumber(row->key, value); !status.ok()) return status;
  Slot(config, *row) = value;
  return Status::Ok();
}

Status GetNumber(const Config& config, std::string_view section, std::string_view key,
                 double* value) noexcept {
  const Row* row = nullptr;
  if (Status status = Resolve(section, key, &row); !status.ok()) return status;
  *value = row->threshold != nullptr ? config.thresholds.*row->threshold
                                     : config.baselines.*row->baseline;
  return Status::Ok();
}

}  // namespace auren::core
