// The modes of a configuration: the seven built-in ones, adding one's own and their rules, what
// must hold of all.
#include <cmath>

#include "core/config.h"
#include "core/text.h"

namespace auren::core {
namespace {

constexpr int kMaxPriority = 1000;

struct BuiltIn {
  const char* name;
  int priority;
  const char* behavior;
};

constexpr BuiltIn kBuiltIns[] = {
    {"reflex", 400,
     "Act now: help the person to calm down with one short, concrete step, put everything else "
     "off, and ask whether they need help."},
    {"guardian", 300,
     "Protect recovery: propose rest, lighter training and an earlier night, and do not add load "
     "or new commitments."},
    {"hypothesis", 200,
     "Investigate: a reading does not fit, so name the likely explanations, ask about context or "
     "a new measurement, and conclude nothing yet."},
    {"companion", 150,
     "Keep company: listen first, answer warmly and at the person's pace, and bring up data only "
     "when asked."},
    {"sentinel", 150,
     "Stand watch: observe closely, stay silent unless something changes, and report changes with "
     "their numbers."},
    {"pattern", 100,
     "Go on as usual: support routines, point out trends over days and weeks, and suggest small "
     "improvements."},
    {"baseline", 0,
     "Learn the person: collect readings, explain that there is not enough history yet, and avoid "
     "judgements about what is normal."},
};

// The modes that triggers lead to: pattern has to stay below each of them.
constexpr const char* kTriggerModes[] = {"reflex", "guardian", "hypothesis"};

Status CheckMode(std::string_view name, double priority, std::string_view behavior) noexcept {
  const std::string_view shown = Clip(name, kMaxModeName);
  if (name.size() > kMaxModeName || !IsSnakeCase(name)) {
    return Status::Error(Code::kInvalid, "bad mode name \"%.*s\"", Length(shown), shown.data())
        .WithHint("Use snake_case of at most %zu bytes, such as \"night_watch\".", kMaxModeName);
  }
  const bool in_range = priority >= 0 && priority <= kMaxPriority;  // false for NaN
  if (!in_range || priority != std::floor(priority)) {
    return Status::Error(Code::kInvalid, "priority of mode \"%.*s\" is %.15g, which is not allowed",
                         Length(shown), shown.data(), priority)
        .WithHint("Use a whole number from 0 to %d; the higher one wins.", kMaxPriority);
  }
  if (behavior.size() > kMaxModeBehavior) {
    return Status::Error(Code::kInvalid, "behavior of mode \"%.*s\" has %zu bytes", Length(shown),
                         shown.data(), behavior.size())
        .WithHint("Use at most %zu bytes: one sentence that says what an agent should do.",
                  kMaxModeBehavior);
  }
  if (behavior.find('\0') != std::string_view::npos) {
    return Status::Error(Code::kInvalid, "behavior of mode \"%.*s\" contains a NUL byte",
                         Length(shown), shown.data())
        .WithHint("Use plain text.");
  }
  return Status::Ok();
}

Mode* Find(Config* config, std::string_view name) noexcept {
  for (int i = 0; i < config->mode_count; ++i) {
    if (name == config->modes[i].name) return &config->modes[i];
  }
  return nullptr;
}

Status MissingMode(const char* name) noexcept {
  return Status::Error(Code::kInvalid, "mode \"%s\" is missing", name)
      .WithHint("Start from the built-in configuration, which has it.");
}

// A mode that triggers or rules lead to.
Status CheckReachable(const Mode& mode, const Mode& pattern, const char* what,
                      const char* hint) noexcept {
  if (mode.priority > pattern.priority) return Status::Ok();
  return Status::Error(Code::kInvalid, "mode \"%s\" has %spriority %d, not above pattern's %d",
                       mode.name, what, mode.priority, pattern.priority)
      .WithHint("%s", hint);
}

}  // namespace

const Mode* Config::FindMode(std::string_view name) const noexcept {
  return Find(const_cast<Config*>(this), name);
}

Config DefaultConfig() noexcept {
  Config config;
  for (const BuiltIn& mode : kBuiltIns) {
    Mode& added = config.modes[config.mode_count++];
    CopyText(added.name, mode.name);
    added.priority = mode.priority;
    CopyText(added.behavior, mode.behavior);
  }
  return config;
}

Status AddMode(Config* config, std::string_view name, double priority,
               std::string_view behavior) noexcept {
  if (Status status = CheckMode(name, priority, behavior); !status.ok()) return status;
  Mode* mode = Find(config, name);
  if (mode == nullptr) {
    if (config->mode_count == kMaxModes) {
      return Status::Error(Code::kInvalid, "mode \"%.*s\" is one too many", Length(name),
                           name.data())
          .WithHint("A configuration holds at most %d modes, the built-in ones included.",
                    kMaxModes);
    }
    mode = &config->modes[config->mode_count++];
    *mode = Mode{};
    CopyText(mode->name, name);
  }
  mode->priority = static_cast<int>(priority);
  if (!behavior.empty()) CopyText(mode->behavior, behavior);
  return Status::Ok();
}

Status AddRule(Config* config, std::string_view mode, const Rule& rule) noexcept {
  const Mode* to = Find(config, mode);
  if (to == nullptr) return Status::Error(Code::kInternal, "a rule of a mode that is not there");
  if (rule.name[0] == '\0') {
    return Status::Error(Code::kInvalid, "no name")
        .WithHint("The switch names it as its trigger: use snake_case, such as \"fever_watch\".");
  }
  if (rule.condition_count == 0) {
    return Status::Error(Code::kInvalid, "rule \"%s\" has no condition", rule.name)
        .WithHint("Say when, as in [{\"metric\": \"heart_rate\", \"above\": 95}].");
  }
  for (int i = 0; i < config->rule_count; ++i) {
    if (std::string_view(rule.name) != config->rules[i].name) continue;
    return Status::Error(Code::kInvalid, "rule \"%s\" is there already", rule.name)
        .WithHint("Each rule of a configuration has a name of its own.");
  }
  if (config->rule_count == kMaxRules) {
    return Status::Error(Code::kInvalid, "rule \"%s\" is one too many", rule.name)
        .WithHint("A configuration holds at most %d rules.", kMaxRules);
  }
  const int to_mode = static_cast<int>(to - config->modes);
  Rule* place = &config->rules[config->rule_count++];
  for (; place != config->rules && place[-1].mode > to_mode; --place) *place = place[-1];
  *place = rule;
  place->mode = to_mode;
  return Status::Ok();
}

Status Validate(const Config& config) noexcept {
  const Mode* baseline = config.FindMode("baseline");
  if (baseline == nullptr) return MissingMode("baseline");
  const Mode* pattern = config.FindMode("pattern");
  if (pattern == nullptr) return MissingMode("pattern");

  for (int i = 0; i < config.mode_count; ++i) {
    const Mode& mode = config.modes[i];
    if (mode.priority < baseline->priority) {
      return Status::Error(Code::kInvalid, "mode \"%s\" has priority %d, below baseline's %d",
                           mode.name, mode.priority, baseline->priority)
          .WithHint("No mode may be below baseline: lower baseline or raise \"%s\".", mode.name);
    }
  }
  for (const char* name : kTriggerModes) {
    const Mode* mode = config.FindMode(name);
    if (mode == nullptr) return MissingMode(name);
    const Status status = CheckReachable(
        *mode, *pattern, "",
        "A trigger could never leave pattern: keep pattern below reflex, guardian and "
        "hypothesis.");
    if (!status.ok()) return status;
  }
  for (int i = 0; i < config.rule_count; ++i) {
    const Status status =
        CheckReachable(config.modes[config.rules[i].mode], *pattern, "rules and ",
                       "A rule could never leave pattern: give the mode a higher priority.");
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

}  // namespace auren::core
