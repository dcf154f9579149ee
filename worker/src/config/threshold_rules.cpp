#include "config/threshold_rules.h"

#include <cmath>
#include <functional>
#include <optional>

#include "devices/scalar.h"

namespace auren::config {
namespace {

using Json = nlohmann::ordered_json;
using Kind = yaml::Node::Kind;

// A mistake in the key itself, at the key; in its value, at that.
void Refuse(const yaml::Entry& entry, const std::string& path, const core::Status& status,
            core::KeyKind kind, yaml::Report* report) {
  yaml::Node place = entry.value;
  if (kind == core::KeyKind::kUnknown) {
    place.line = entry.line;
    place.column = entry.column;
  }
  Complain(place, path, status, report);
}

// Reads one element of a list, a mapping, entry by entry.
void ForEachEntry(const yaml::Node& node, const std::string& path, const char* what,
                  yaml::Report* report,
                  const std::function<void(const yaml::Entry&, const std::string&)>& read) {
  if (node.kind != Kind::kMap) {
    report->Expected(node, path, what);
    return;
  }
  for (const yaml::Entry& entry : node.entries) read(entry, path + "." + entry.key);
}

// A list of texts, or one text.
std::optional<Json> ReadTexts(const yaml::Entry& entry, const std::string& path,
                              core::Condition* condition, yaml::Report* report) {
  const bool single = entry.value.kind == Kind::kScalar;
  if (!single && entry.value.kind != Kind::kList) return std::nullopt;
  Json texts = Json::array();
  const std::size_t count = single ? 1 : entry.value.items.size();
  for (std::size_t i = 0; i < count; ++i) {
    const yaml::Node& item = single ? entry.value : entry.value.items[i];
    const std::string place = single ? path : path + "[" + std::to_string(i) + "]";
    if (item.kind != Kind::kScalar) {
      report->Expected(item, place, "a name");
      continue;
    }
    const core::Status status = core::SetText(condition, entry.key, item.text);
    if (!status.ok()) Complain(item, place, status, report);
    texts.push_back(item.text);
  }
  return texts;
}

void ReadConditionEntry(const yaml::Entry& entry, const std::string& path,
                        core::Condition* condition, Json* json, yaml::Report* report) {
  const core::KeyKind kind = core::KeyOfCondition(entry.key);
  const bool scalar = entry.value.kind == Kind::kScalar;
  const auto number = scalar ? devices::ParseNumber(entry.value.text) : std::nullopt;
  const auto flag = scalar ? devices::ParseBool(entry.value.text) : std::nullopt;
  core::Status status = core::WrongConditionKey(entry.key);
  if (kind == core::KeyKind::kText && scalar) {
    status = core::SetText(condition, entry.key, entry.value.text);
    (*json)[entry.key] = entry.value.text;
  } else if (kind == core::KeyKind::kNumber && number) {
    status = core::SetNumber(condition, entry.key, *number);
    (*json)[entry.key] = AsJson(*number);
  } else if (kind == core::KeyKind::kFlag && flag) {
    status = core::SetFlag(condition, entry.key, *flag);
    (*json)[entry.key] = *flag;
  } else if (kind == core::KeyKind::kTexts) {
    if (auto texts = ReadTexts(entry, path, condition, report)) {
      (*json)[entry.key] = *std::move(texts);
      return;
    }
  }
  if (!status.ok()) Refuse(entry, path, status, kind, report);
}

Json ReadCondition(const yaml::Node& node, const std::string& path, core::Rule* rule,
                   yaml::Report* report) {
  Json json = Json::object();
  core::Condition condition;
  const std::size_t before = report->errors().size();
  ForEachEntry(node, path, "a condition, such as {metric: heart_rate, above: 95}", report,
               [&](const yaml::Entry& entry, const std::string& place) {
                 ReadConditionEntry(entry, place, &condition, &json, report);
               });
  if (report->errors().size() == before) {  // else the mistake is told already
    const core::Status status = core::AddCondition(rule, condition);
    if (!status.ok()) Complain(node, path, status, report);
  }
  return json;
}

void ReadRuleEntry(const yaml::Entry& entry, const std::string& path, core::Rule* rule, Json* json,
                   yaml::Report* report) {
  const core::KeyKind kind = core::KeyOfRule(entry.key);
  const bool scalar = entry.value.kind == Kind::kScalar;
  const auto number = scalar ? devices::ParseNumber(entry.value.text) : std::nullopt;
  core::Status status = core::WrongRuleKey(entry.key);
  if (kind == core::KeyKind::kText && scalar) {
    status = core::SetText(rule, entry.key, entry.value.text);
    (*json)[entry.key] = entry.value.text;
  } else if (kind == core::KeyKind::kNumber && number) {
    status = core::SetNumber(rule, entry.key, *number);
    (*json)[entry.key] = AsJson(*number);
  } else if (kind == core::KeyKind::kList && entry.value.kind == Kind::kList) {
    Json& when = (*json)[entry.key] = Json::array();
    for (std::size_t i = 0; i < entry.value.items.size(); ++i) {
      when.push_back(
          ReadCondition(entry.value.items[i], path + "[" + std::to_string(i) + "]", rule, report));
    }
    return;
  }
  if (!status.ok()) Refuse(entry, path, status, kind, report);
}

}  // namespace

void Complain(const yaml::Node& node, const std::string& key, const core::Status& status,
              yaml::Report* report) {
  std::string text = status.message;
  if (status.hint[0] != '\0') text += std::string(". ") + status.hint;
  report->Add(node, key, text);
}

Json AsJson(double number) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (number == std::floor(number) && std::fabs(number) < kExact) {
    return static_cast<std::int64_t>(number);
  }
  return number;
}

Json ReadRules(const yaml::Node& rules, const std::string& path, const std::string& mode,
               core::Config* config, yaml::Report* report) {
  Json json = Json::array();
  if (rules.kind != Kind::kList) report->Expected(rules, path, "a list of rules");
  for (std::size_t i = 0; i < rules.items.size(); ++i) {
    const std::string place = path + "[" + std::to_string(i) + "]";
    const std::size_t before = report->errors().size();
    core::Rule rule;
    Json& out = json.emplace_back(Json::object());
    ForEachEntry(rules.items[i], place, "a rule of the keys name, weight and when", report,
                 [&](const yaml::Entry& entry, const std::string& key) {
                   ReadRuleEntry(entry, key, &rule, &out, report);
                 });
    if (report->errors().size() != before) continue;
    const core::Status status = core::AddRule(config, mode, rule);
    if (!status.ok()) Complain(rules.items[i], place, status, report);
  }
  return json;
}

}  // namespace auren::config
