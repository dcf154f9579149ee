#include "config/thresholds.h"

#include <nlohmann/json.hpp>

#include <optional>

#include "config/threshold_rules.h"
#include "core/config.h"
#include "devices/scalar.h"

namespace auren::config {
namespace {

using Json = nlohmann::ordered_json;

// The node's number, or a complaint.
std::optional<double> Number(const yaml::Node& node, const std::string& path,
                             yaml::Report* report) {
  std::optional<double> number;
  if (node.kind == yaml::Node::Kind::kScalar) number = devices::ParseNumber(node.text);
  if (!number) report->Expected(node, path, "a number");
  return number;
}

void ReadNumbers(const yaml::Entry& section, core::Config* config, Json* json,
                 yaml::Report* report) {
  const yaml::Section numbers(&section.value, section.key, report);
  Json& out = (*json)[section.key] = Json::object();
  for (const yaml::Entry& entry : numbers.node().entries) {
    const std::string path = section.key + "." + entry.key;
    const auto number = Number(entry.value, path, report);
    if (!number) continue;
    const core::Status status = core::SetNumber(config, section.key, entry.key, *number);
    if (!status.ok()) Complain(entry.value, path, status, report);
    out[entry.key] = AsJson(*number);
  }
}

void ReadMode(const yaml::Node& node, const std::string& path, core::Config* config, Json* json,
              yaml::Report* report) {
  yaml::Section section(&node, path, report);
  std::string name, behavior;
  section.Require("name");
  section.Require("priority");
  section.Text("name", &name);
  section.Text("behavior", &behavior);
  const yaml::Node* priority = section.Take("priority");
  const yaml::Node* rules = section.Take("rules");
  section.Finish();
  if (priority == nullptr) return;
  const auto number = Number(*priority, path + ".priority", report);
  if (!number) return;
  const core::Status status = core::AddMode(config, name, *number, behavior);
  if (!status.ok()) Complain(node, path, status, report);
  Json mode{{"name", name}, {"priority", AsJson(*number)}};
  if (!behavior.empty()) mode["behavior"] = behavior;
  if (rules != nullptr && status.ok()) {
    mode["rules"] = ReadRules(*rules, path + ".rules", name, config, report);
  }
  json->push_back(std::move(mode));
}

}  // namespace

std::string ThresholdsJson(std::string_view text, yaml::Report* report) {
  const yaml::Node tree = yaml::Parse(text, report);
  if (!report->ok()) return "";
  yaml::Section root(&tree, "", report);
  core::Config config = core::DefaultConfig();
  Json json = Json::object();
  for (const yaml::Entry& entry : root.node().entries) {
    if (entry.key == "thresholds" || entry.key == "baselines") {
      root.Take(entry.key);
      ReadNumbers(entry, &config, &json, report);
    }
  }
  if (const yaml::Node* modes = root.Take("modes")) {
    if (modes->kind != yaml::Node::Kind::kList)
      report->Expected(*modes, "modes", "a list of modes");
    Json& out = json["modes"] = Json::array();
    for (std::size_t i = 0; i < modes->items.size(); ++i) {
      const std::string path = "modes[" + std::to_string(i) + "]";
      ReadMode(modes->items[i], path, &config, &out, report);
    }
  }
  for (const char* known : {"thresholds", "baselines"}) root.Take(known);
  root.Finish();
  if (report->ok()) {
    const core::Status status = core::Validate(config);
    if (!status.ok()) Complain(tree, "", status, report);
  }
  return json.dump();
}

}  // namespace auren::config
