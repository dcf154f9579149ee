#include "neuros/rules_json.h"

#include "core/engine.h"
#include "postgres/errors.h"

namespace auren::neuros {
namespace {

// An error of the core, behind the place it is about.
void Require(const char* path, const core::Status& status) {
  if (status.ok()) return;
  core::Status placed = status;
  strlcpy(placed.message, psprintf("%s: %s", path, status.message), sizeof placed.message);
  pg::ThrowIfError(placed);
}

core::Status NotA(const char* what, const char* hint) {
  return core::Status::Error(core::Code::kInvalid, "not %s", what).WithHint("%s", hint);
}

char* Below(const char* path, std::string_view key) {
  return psprintf("%s.%.*s", path, static_cast<int>(key.size()), key.data());
}

// Calls `element(value, path)` for each element of an array.
template <typename Element>
void ForEachElement(const JsonbValue& array, const char* path, Element element) {
  JsonbContainer* list = array.val.binary.data;
  for (uint32 i = 0; i < JsonContainerSize(list); i++) {
    element(*getIthJsonbValueFromContainer(list, i), psprintf("%s[%u]", path, i));
  }
}

// Calls `member(key, value, path)` for each member of an object.
template <typename Member>
void ForEachMember(const JsonbValue& object, const char* path, Member member) {
  JsonbIterator* iterator = JsonbIteratorInit(object.val.binary.data);
  JsonbValue item;
  std::string_view key;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token == WJB_KEY) key = pg::View(item);
    if (token == WJB_VALUE) member(key, item, Below(path, key));
  }
}

void ReadTexts(std::string_view key, const JsonbValue& value, const char* path,
               core::Condition* condition) {
  if (value.type == jbvString) {
    Require(path, core::SetText(condition, key, pg::View(value)));
    return;
  }
  if (!pg::IsArray(value)) Require(path, core::WrongConditionKey(key));
  ForEachElement(value, path, [&](const JsonbValue& name, const char* place) {
    if (name.type != jbvString) Require(place, NotA("a text", "Give names, as in [\"rest\"]."));
    Require(place, core::SetText(condition, key, pg::View(name)));
  });
}

void ReadConditionMember(std::string_view key, const JsonbValue& value, const char* path,
                         const KnownMetrics* known, core::Condition* condition) {
  const core::KeyKind kind = core::KeyOfCondition(key);
  if (kind == core::KeyKind::kText && value.type == jbvString) {
    const std::string_view metric = pg::View(value);
    Require(path, core::SetText(condition, key, metric));
    if (known != nullptr) {
      Require(path, core::CheckMetric(metric, known->names, known->count));
    }
  } else if (kind == core::KeyKind::kNumber && value.type == jbvNumeric) {
    Require(path, core::SetNumber(condition, key, pg::Double(value)));
  } else if (kind == core::KeyKind::kFlag && value.type == jbvBool) {
    Require(path, core::SetFlag(condition, key, value.val.boolean));
  } else if (kind == core::KeyKind::kTexts) {
    ReadTexts(key, value, path, condition);
  } else {
    Require(path, core::WrongConditionKey(key));
  }
}

void ReadConditions(const JsonbValue& when, const char* path, const KnownMetrics* known,
                    core::Rule* rule) {
  ForEachElement(when, path, [&](const JsonbValue& value, const char* place) {
    if (!pg::IsObject(value)) {
      Require(place,
              NotA("an object", "A condition is {\"metric\": \"heart_rate\", \"above\": 95}."));
    }
    core::Condition condition;
    ForEachMember(value, place,
                  [&](std::string_view key, const JsonbValue& member, const char* key_path) {
                    ReadConditionMember(key, member, key_path, known, &condition);
                  });
    Require(place, core::AddCondition(rule, condition));
  });
}

void ReadRule(const JsonbValue& value, const char* path, const KnownMetrics* known,
              core::Rule* rule) {
  if (!pg::IsObject(value)) {
    Require(path, NotA("an object",
                       "A rule is {\"name\": \"fever_watch\", \"when\": [{\"metric\": "
                       "\"heart_rate\", \"above\": 95}]}."));
  }
  ForEachMember(value, path,
                [&](std::string_view key, const JsonbValue& member, const char* place) {
                  const core::KeyKind kind = core::KeyOfRule(key);
                  if (kind == core::KeyKind::kText && member.type == jbvString) {
                    Require(place, core::SetText(rule, key, pg::View(member)));
                  } else if (kind == core::KeyKind::kNumber && member.type == jbvNumeric) {
                    Require(place, core::SetNumber(rule, key, pg::Double(member)));
                  } else if (kind == core::KeyKind::kList && pg::IsArray(member)) {
                    ReadConditions(member, place, known, rule);
                  } else {
                    Require(place, core::WrongRuleKey(key));
                  }
                });
}

template <typename Enum>
void WriteNames(const char* key, std::uint16_t bits, Enum last, pg::JsonbBuilder* json) {
  if (bits == 0) return;
  json->Key(key);
  json->BeginArray();
  for (unsigned i = 0; i <= static_cast<unsigned>(last); i++) {
    if (((bits >> i) & 1U) != 0) json->String(core::Name(static_cast<Enum>(i)));
  }
  json->EndArray();
}

void WriteCondition(const core::Condition& condition, pg::JsonbBuilder* json) {
  json->BeginObject();
  json->Add("metric", condition.metric);
  const char* comparison = core::Name(condition.comparison);
  condition.comparison == core::Comparison::kOutsideSoftRange
      ? json->Add(comparison, true)
      : json->Add(comparison, condition.number);
  WriteNames("context", condition.contexts, core::Context::kUnknown, json);
  WriteNames("statistic", condition.statistics, core::Statistic::kSessionMin, json);
  json->EndObject();
}

void WriteRule(const core::Rule& rule, pg::JsonbBuilder* json) {
  json->BeginObject();
  json->Add("name", rule.name);
  json->Add("weight", rule.weight);
  json->Key("when");
  json->BeginArray();
  for (int i = 0; i < rule.condition_count; i++) WriteCondition(rule.conditions[i], json);
  json->EndArray();
  json->EndObject();
}

}  // namespace

void ReadRules(const JsonbValue& rules, const char* path, std::string_view mode,
               const KnownMetrics* known, core::Config* config) {
  if (!pg::IsArray(rules)) {
    Require(path, NotA("a list",
                       "Give a list of rules, as in [{\"name\": \"fever_watch\", "
                       "\"when\": [...]}]."));
  }
  ForEachElement(rules, path, [&](const JsonbValue& value, const char* place) {
    core::Rule rule;
    ReadRule(value, place, known, &rule);
    Require(place, core::AddRule(config, mode, rule));
  });
}

void WriteRules(const core::Config& config, int mode, pg::JsonbBuilder* json) {
  bool any = false;
  for (int i = 0; i < config.rule_count; i++) {
    if (config.rules[i].mode != mode) continue;
    if (!any) {
      json->Key("rules");
      json->BeginArray();
    }
    any = true;
    WriteRule(config.rules[i], json);
  }
  if (any) json->EndArray();
}

}  // namespace auren::neuros
