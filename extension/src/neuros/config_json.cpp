#include "neuros/config_json.h"

#include "postgres/errors.h"
#include "postgres/values.h"

namespace auren::neuros {
namespace {

[[noreturn]] void Refuse(const char* message, const char* hint) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg_internal("%s", message),
                  errhint("%s", hint)));
  pg_unreachable();
}

// A number as the core's messages have it, so that a wrong kind and a wrong value read alike.
double NumberOf(const JsonbValue& value, std::string_view section, std::string_view key) {
  if (value.type != jbvNumeric) {
    Refuse(psprintf("%.*s.%.*s is not a number", static_cast<int>(section.size()), section.data(),
                    static_cast<int>(key.size()), key.data()),
           "Give a JSON number, as in {\"thresholds\": {\"hrv_drop_ms\": 25}}.");
  }
  return pg::Double(value);
}

void ReadSection(std::string_view section, const JsonbValue& members, core::Config* config) {
  if (!pg::IsObject(members)) {
    Refuse(psprintf("\"%.*s\" is not an object", static_cast<int>(section.size()), section.data()),
           "Give an object of numbers, as in {\"thresholds\": {\"hrv_drop_ms\": 25}}.");
  }
  JsonbIterator* iterator = JsonbIteratorInit(members.val.binary.data);
  JsonbValue item;
  std::string_view key;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token == WJB_KEY) {
      key = pg::View(item);
    } else if (token == WJB_VALUE) {
      pg::ThrowIfError(core::SetNumber(config, section, key, NumberOf(item, section, key)));
    }
  }
}

void ReadMode(const JsonbValue& mode, const char* path, const KnownMetrics* known,
              core::Config* config) {
  constexpr const char* kHint =
      "A mode is {\"name\": \"focus\", \"priority\": 120, \"behavior\": \"...\"}.";
  if (!pg::IsObject(mode)) Refuse("an element of \"modes\" is not an object", kHint);
  std::string_view name, behavior;
  JsonbValue rules;
  bool has_rules = false;
  double priority = 0;
  bool has_name = false, has_priority = false;
  JsonbIterator* iterator = JsonbIteratorInit(mode.val.binary.data);
  JsonbValue item;
  std::string_view key;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token == WJB_KEY) {
      key = pg::View(item);
    } else if (token == WJB_VALUE) {
      if (key == "name" && item.type == jbvString) {
        name = pg::View(item);
        has_name = true;
      } else if (key == "behavior" && item.type == jbvString) {
        behavior = pg::View(item);
      } else if (key == "priority") {
        priority = NumberOf(item, "modes", key);
        has_priority = true;
      } else if (key == "rules") {
        rules = item;
        has_rules = true;
      } else {
        Refuse(psprintf("modes.%.*s is unknown or not a text", static_cast<int>(key.size()),
                        key.data()),
               kHint);
      }
    }
  }
  if (!has_name) Refuse("a mode has no name", kHint);
  if (!has_priority) {
    Refuse(psprintf("mode \"%.*s\" has no priority", static_cast<int>(name.size()), name.data()),
           kHint);
  }
  pg::ThrowIfError(core::AddMode(config, name, priority, behavior));
  if (has_rules) ReadRules(rules, psprintf("%s.rules", path), name, known, config);
}

void ReadModes(const JsonbValue& modes, const KnownMetrics* known, core::Config* config) {
  if (!pg::IsArray(modes)) {
    Refuse("\"modes\" is not an array",
           "Give a list, as in {\"modes\": [{\"name\": \"focus\", \"priority\": 120}]}.");
  }
  const JsonbContainer* list = modes.val.binary.data;
  for (uint32 i = 0; i < JsonContainerSize(list); i++) {
    ReadMode(*getIthJsonbValueFromContainer(const_cast<JsonbContainer*>(list), i),
             psprintf("modes[%u]", i), known, config);
  }
}

}  // namespace

void ReadConfig(const Jsonb* json, core::Config* config, const KnownMetrics* known) {
  *config = core::DefaultConfig();
  if (!JB_ROOT_IS_OBJECT(json)) {
    Refuse("the configuration is not an object",
           "Give an object with the keys thresholds, baselines and modes, each of them optional.");
  }
  JsonbIterator* iterator = JsonbIteratorInit(const_cast<JsonbContainer*>(&json->root));
  JsonbValue item;
  std::string_view key;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token == WJB_KEY) {
      key = pg::View(item);
    } else if (token == WJB_VALUE) {
      if (key == "thresholds" || key == "baselines") {
        ReadSection(key, item, config);
      } else if (key == "modes") {
        ReadModes(item, known, config);
      } else {
        Refuse(psprintf("unknown key \"%.*s\"", static_cast<int>(key.size()), key.data()),
               "The keys of a configuration are thresholds, baselines and modes.");
      }
    }
  }
  pg::ThrowIfError(core::Validate(*config));
}

Jsonb* WriteConfig(const core::Config& config) {
  pg::JsonbBuilder json;
  int count;
  const core::NumberKey* keys = core::NumberKeys(&count);
  json.BeginObject();
  for (const char* section : {"thresholds", "baselines"}) {
    json.Key(section);
    json.BeginObject();
    for (int i = 0; i < count; i++) {
      if (strcmp(keys[i].section, section) != 0) continue;
      double value;
      pg::ThrowIfError(core::GetNumber(config, section, keys[i].key, &value));
      json.Add(keys[i].key, value);
    }
    json.EndObject();
  }
  json.Key("modes");
  json.BeginArray();
  for (int i = 0; i < config.mode_count; i++) {
    json.BeginObject();
    json.Add("name", config.modes[i].name);
    json.Add("priority", config.modes[i].priority);
    json.Add("behavior", config.modes[i].behavior);
    WriteRules(config, i, &json);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return json.Finish();
}

}  // namespace auren::neuros
