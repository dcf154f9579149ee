#include "devices/spec.h"

#include <algorithm>

#include "devices/scalar.h"

namespace auren::devices {
namespace {

constexpr std::string_view kContexts[] = {"rest",    "sleep", "sedentary", "active",
                                          "workout", "wake",  "unknown"};
const std::vector<std::string> kStatistics = {"instant",     "avg",         "min",        "max",
                                              "sum",         "interval",    "daily",      "session",
                                              "session_avg", "session_sum", "session_min"};
const std::vector<std::string> kContextWords(std::begin(kContexts), std::end(kContexts));

void ReadPointers(yaml::Section* section, std::string_view key, Pointers* out) {
  section->Strings(key, out);
  for (const std::string& pointer : *out) {
    if (IsPointer(pointer)) continue;
    section->report()->Add(section->node(), section->Path(key),
                           "expected JSON pointers such as /data/value, got '" + pointer + "'");
  }
}

// Calls `read` with a Section for each item of the list at `key`.
template <typename Read>
void EachItem(yaml::Section* section, std::string_view key, Read read) {
  const yaml::Node* list = section->Take(key);
  if (list == nullptr) return;
  if (list->kind != yaml::Node::Kind::kList) {
    return section->report()->Expected(*list, section->Path(key), "a list");
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const std::string path = section->Path(key) + "[" + std::to_string(i) + "]";
    yaml::Section item(&list->items[i], path, section->report());
    read(&item);
    item.Finish();
  }
}

// A table of canonical word -> vendors' words. The canonical word is one of them.
void ReadWords(yaml::Section* section, std::string_view key,
               const std::vector<std::string>& allowed, Words* words) {
  yaml::Section table(section->Take(key), section->Path(key), section->report());
  for (const yaml::Entry& entry : table.node().entries) {
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), entry.key) == allowed.end()) {
      section->report()->Add(entry.line, entry.column, table.Path(entry.key),
                             "expected " + OneOf(allowed));
    }
    std::vector<std::string> aliases;
    table.Strings(entry.key, &aliases);
    aliases.push_back(entry.key);
    for (const std::string& alias : aliases) {
      const auto [at, added] = words->emplace(Fold(alias), entry.key);
      if (!added && at->second != entry.key) {
        section->report()->Add(entry.line, entry.column, table.Path(entry.key),
                               "'" + alias + "' already means '" + at->second + "'");
      }
    }
  }
}

void ReadMetric(const yaml::Entry& entry, yaml::Section* section, Vocabulary* vocabulary) {
  Metric metric;
  metric.name = entry.key;
  std::string infer = "nothing";
  std::vector<std::string> names;
  section->Require("unit");
  section->Text("unit", &metric.unit);
  section->Choice("statistic", kStatistics, &metric.statistic);
  section->Choice("context", kContextWords, &metric.context);
  section->Choice("infer", {"nothing", "temperature", "fraction"}, &infer);
  section->Strings("names", &names);
  section->Finish();
  metric.state = metric.unit == "{state}";
  if (infer == "temperature") metric.infer = Infer::kTemperature;
  if (infer == "fraction") metric.infer = Infer::kFraction;
  names.push_back(metric.name);
  for (const std::string& name : names) {
    const auto [at, added] = vocabulary->names.emplace(Fold(name), vocabulary->metrics.size());
    if (!added && at->second != vocabulary->metrics.size()) {
      section->report()->Add(
          entry.line, entry.column, section->Path("names"),
          "'" + name + "' already means '" + vocabulary->metrics[at->second].name + "'");
    }
  }
  vocabulary->metrics.push_back(std::move(metric));
}

void ReadVocabulary(yaml::Section* root, Vocabulary* vocabulary) {
  ReadWords(root, "states", {}, &vocabulary->states);
  for (const std::string& word : kContextWords) vocabulary->contexts.emplace(Fold(word), word);
  ReadWords(root, "contexts", kContextWords, &vocabulary->contexts);
  yaml::Section metrics(root->Take("metrics"), "metrics", root->report());
  for (const yaml::Entry& entry : metrics.node().entries) {
    metrics.Take(entry.key);
    yaml::Section metric(&entry.value, metrics.Path(entry.key), root->report());
    ReadMetric(entry, &metric, vocabulary);
  }
}

// A metric that a rule names must be one of the file's own.
void ReadMetricName(yaml::Section* section, const Vocabulary& vocabulary, std::string* out) {
  section->Text("metric", out);
  if (out->empty() || vocabulary.Find(*out) != nullptr) return;
  std::vector<std::string> known;
  for (const Metric& metric : vocabulary.metrics) known.push_back(metric.name);
  section->report()->Expected(*section->Take("metric"), section->Path("metric"),
                              "a metric of this file (" + OneOf(known) + ")");
}

void ReadValue(yaml::Section* section, const Vocabulary& vocabulary, ValueRule* rule) {
  std::string for_name, times = "1";
  section->Text("for", &for_name);
  rule->for_name = Fold(for_name);
  ReadMetricName(section, vocabulary, &rule->metric);
  section->Text("unit", &rule->unit);
  section->Choice("statistic", kStatistics, &rule->statistic);
  section->Choice("context", kContextWords, &rule->context);
  section->Require("value_from");
  ReadPointers(section, "value_from", &rule->value_from);
  ReadPointers(section, "divided_by_from", &rule->divided_by_from);
  ReadPointers(section, "start_from", &rule->start_from);
  ReadPointers(section, "end_from", &rule->end_from);
  section->Text("times", &times);
  section->Strings("flags", &rule->flags);
  if (const auto number = ParseNumber(times)) {
    rule->times = *number;
  } else {
    section->report()->Expected(*section->Take("times"), section->Path("times"), "a number");
  }
}

void ReadReading(yaml::Section* section, const Vocabulary& vocabulary, ReadingRule* rule) {
  ReadPointers(section, "list_from", &rule->list_from);
  ReadPointers(section, "rows_from", &rule->rows_from);
  ReadPointers(section, "metric_from", &rule->metric_from);
  ReadPointers(section, "unit_from", &rule->unit_from);
  ReadPointers(section, "start_from", &rule->start_from);
  ReadPointers(section, "end_from", &rule->end_from);
  ReadPointers(section, "source_from", &rule->source_from);
  ReadPointers(section, "context_from", &rule->context_from);
  ReadPointers(section, "external_id_from", &rule->external_id_from);
  ReadMetricName(section, vocabulary, &rule->metric);
  section->Text("unit", &rule->unit);
  section->Choice("statistic", kStatistics, &rule->statistic);
  section->Choice("context", kContextWords, &rule->context);
  section->Text("source", &rule->source);
  section->Seconds("span", &rule->span_seconds);
  std::string zone;
  section->Choice("zone", {"utc"}, &zone);
  rule->zone_utc = zone == "utc";
  section->Strings("flags", &rule->flags);
  section->Require("values");
  EachItem(section, "values", [&](yaml::Section* value) {
    ReadValue(value, vocabulary, &rule->values.emplace_back());
  });
}

void ReadShape(yaml::Section* section, const Vocabulary& vocabulary, Shape* shape) {
  section->Require("name");
  section->Text("name", &shape->name);
  section->Require("when");
  ReadPointers(section, "when", &shape->when);
  if (shape->when.empty()) {
    section->report()->Add(section->node(), section->Path("when"), "expected at least one pointer");
    shape->when = {""};
  }
  section->Text("as", &shape->as);
  section->Whole("people", 1, 100, &shape->people);
  ReadPointers(section, "user_from", &shape->user_from);
  std::string whose = "ours";
  section->Choice("user_is", {"ours", "the_vendors"}, &whose);
  shape->vendor_user = whose == "the_vendors";
  section->Text("user_header", &shape->user_header);
  shape->user_header = Lower(shape->user_header);
  section->Text("event_type", &shape->event_type);
  ReadPointers(section, "event_type_from", &shape->event_type_from);
  ReadPointers(section, "ignore_from", &shape->ignore_from);
  section->Strings("ignore", &shape->ignore);
  section->Bool("fetch", &shape->fetch);
  EachItem(section, "readings", [&](yaml::Section* reading) {
    ReadReading(reading, vocabulary, &shape->readings.emplace_back());
  });
  const int ways =
      (shape->as.empty() ? 0 : 1) + (shape->fetch ? 1 : 0) + (shape->readings.empty() ? 0 : 1);
  if (ways != 1) {
    section->report()->Add(section->node(), section->Path("readings"),
                           "expected exactly one of readings, as or fetch: true");
  }
}

void ReadHandshake(yaml::Section* root, Handshake* handshake) {
  const yaml::Node* node = root->Take("handshake");
  if (node == nullptr) return;
  yaml::Section section(node, "handshake", root->report());
  section.Require("method");
  section.Choice("method", {"GET", "HEAD"}, &handshake->method);
  yaml::Section token(section.Take("token"), "handshake.token", root->report());
  token.Text("query", &handshake->token_query);
  token.Text("secret", &handshake->token_secret);
  token.Finish();
  section.Whole("status", 200, 299, &handshake->status);
  section.Whole("wrong_token", 400, 499, &handshake->wrong_token);
  yaml::Section json(section.Take("json"), "handshake.json", root->report());
  for (const yaml::Entry& entry : json.node().entries) {
    json.Text(entry.key, &handshake->json[entry.key]);
  }
  section.Finish();
}

void CheckSecret(yaml::Section* root, const Spec& spec, std::string_view where,
                 const std::string& name) {
  if (name.empty() ||
      std::find(spec.secrets.begin(), spec.secrets.end(), name) != spec.secrets.end()) {
    return;
  }
  root->report()->Add(
      root->node(), where,
      "'" + name + "' is not listed under secrets: expected " + OneOf(spec.secrets));
}

void ReadTransport(yaml::Section* root, Spec* spec) {
  root->Size("body_limit", &spec->body_limit);
  root->Bool("form", &spec->form);
  yaml::Section ack(root->Take("ack"), "ack", root->report());
  ack.Seconds("deadline", &spec->deadline_seconds);
  ack.Whole("success", 200, 299, &spec->success);
  ack.Whole("bad_signature", 400, 499, &spec->bad_signature);
  ack.Finish();
  root->Strings("delivery_key", &spec->delivery_key);
  for (std::string& part : spec->delivery_key) {
    if (part.starts_with("header:")) {
      part = Lower(part);
    } else if (!IsPointer(part)) {
      root->report()->Add(root->node(), "delivery_key",
                          "expected JSON pointers or header:NAME, got '" + part + "'");
    }
  }
  root->Strings("event_types", &spec->event_types);
}

}  // namespace

std::unique_ptr<Spec> LoadSpec(std::string_view text, const std::string& provider,
                               yaml::Report* report) {
  auto spec = std::make_unique<Spec>();
  const yaml::Node tree = yaml::Parse(text, report);
  if (!report->ok()) return spec;
  yaml::Section root(&tree, "", report);
  std::string description;
  root.Require("provider");
  root.Text("provider", &spec->provider);
  root.Text("description", &description);
  if (spec->provider != provider) {
    report->Add(root.node(), "provider",
                "expected '" + provider + "', the name of the file, got '" + spec->provider + "'");
  }
  root.Require("secrets");
  root.Strings("secrets", &spec->secrets);
  root.Text("secrets_from", &spec->secrets_from);
  root.Require("verify");
  EachItem(&root, "verify", [&](yaml::Section* section) {
    if (auto scheme = LoadScheme(section)) spec->verify.push_back(std::move(scheme));
  });
  for (const auto& scheme : spec->verify) CheckSecret(&root, *spec, "verify", scheme->secret());
  ReadHandshake(&root, &spec->handshake);
  CheckSecret(&root, *spec, "handshake.token.secret", spec->handshake.token_secret);
  ReadTransport(&root, spec.get());
  ReadVocabulary(&root, &spec->vocabulary);
  root.Require("shapes");
  EachItem(&root, "shapes", [&](yaml::Section* section) {
    ReadShape(section, spec->vocabulary, &spec->shapes.emplace_back());
  });
  if (report->ok() && spec->verify.empty()) {
    report->Add(root.node(), "verify", "expected at least one scheme");
  }
  root.Finish();
  return spec;
}

}  // namespace auren::devices
