#include "config/layers.h"

#include <algorithm>

#include "config/keys.h"
#include "devices/scalar.h"

namespace auren::config {
namespace {

constexpr std::string_view kFileSuffix = "_FILE";

bool Contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// A list as its items joined by commas, a mapping as key=value pairs. False for anything deeper.
bool Join(const yaml::Node& node, std::string* text) {
  const auto add = [&](const std::string& item) {
    if (!text->empty()) *text += ',';
    *text += item;
    return item.find(',') == std::string::npos;
  };
  for (const yaml::Node& item : node.items) {
    if (item.kind != yaml::Node::Kind::kScalar || !add(item.text)) return false;
  }
  for (const yaml::Entry& entry : node.entries) {
    if (entry.value.kind != yaml::Node::Kind::kScalar || !add(entry.key + "=" + entry.value.text)) {
      return false;
    }
  }
  return true;
}

}  // namespace

Layers::Layers(const Source& source, const std::string& file, std::vector<std::string>* errors)
    : source_(source), file_(file), errors_(errors) {
  if (file.empty()) return;
  std::string text, error;
  if (!yaml::ReadFile(file, &text, &error)) {
    errors_->push_back(error);
    return;
  }
  yaml::Report report(file);
  tree_ = yaml::Parse(text, &report);
  if (tree_.kind != yaml::Node::Kind::kMap) report.Expected(tree_, "", "a mapping of keys");
  errors_->insert(errors_->end(), report.errors().begin(), report.errors().end());
  if (report.ok()) Flatten(tree_, "");
}

void Layers::Flatten(const yaml::Node& node, const std::string& prefix) {
  for (const yaml::Entry& entry : node.entries) {
    const std::string path = prefix + entry.key;
    const bool deeper = entry.value.kind == yaml::Node::Kind::kMap && path != "kafka.properties";
    if (deeper) {
      Flatten(entry.value, path + ".");
    } else {
      leaves_[path] = {&entry.value, entry.line, entry.column};
    }
  }
}

Value Layers::Get(const std::string& path, std::string_view fallback, std::string_view short_name,
                  bool list) {
  const std::string name = EnvironmentName(path);
  known_.push_back(path);
  variables_.push_back(name);
  variables_.push_back(name + std::string(kFileSuffix));
  // All layers are looked at, so that a fault in a weaker one is told too.
  std::optional<Value> file = FromFile(path, list);
  std::optional<Value> shorter, longer = FromEnvironment(name);
  if (!short_name.empty()) shorter = FromEnvironment(std::string(short_name));
  const auto override = source_.overrides.find(path);
  if (override != source_.overrides.end()) {
    return {override->second, "command line", "command line", true};
  }
  if (longer) return *longer;
  if (shorter) return *shorter;
  if (file) return *file;
  return {std::string(fallback), "default", "default", false};
}

std::optional<Value> Layers::FromEnvironment(const std::string& name) {
  const std::string file_name = name + std::string(kFileSuffix);
  const auto direct = source_.environment.find(name);
  const auto named = source_.environment.find(file_name);
  const bool has_file = named != source_.environment.end();
  if (direct != source_.environment.end()) {
    if (has_file) {
      errors_->push_back("environment " + name + ": set together with " + file_name +
                         ", expected one of the two");
    }
    return Value{direct->second, "environment " + name, "environment " + name, true};
  }
  if (!has_file) return std::nullopt;
  std::string text, error;
  if (!yaml::ReadFile(named->second, &text, &error)) {
    errors_->push_back("environment " + file_name + ": " + error);
    return std::nullopt;
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return Value{text, "environment " + file_name, "environment " + file_name, true};
}

std::optional<Value> Layers::FromFile(const std::string& path, bool list) {
  const auto found = leaves_.find(path);
  if (found == leaves_.end()) return std::nullopt;
  const yaml::Node& node = *found->second.value;
  Value value;
  value.set = true;
  value.origin = file_ + ":" + std::to_string(node.line);
  value.where = value.origin + ":" + std::to_string(node.column);
  if (node.kind == yaml::Node::Kind::kScalar) {
    value.text = node.text;
    return value;
  }
  if (list && node.kind != yaml::Node::Kind::kNull && Join(node, &value.text)) return value;
  yaml::Report report(file_);
  report.Expected(node, path, list ? "a list of plain texts" : "one value");
  errors_->push_back(report.errors().front());
  return std::nullopt;
}

bool Layers::IsSection(const std::string& path) const {
  return std::any_of(known_.begin(), known_.end(),
                     [&](const std::string& known) { return known.starts_with(path + "."); });
}

void Layers::Unknown(const std::string& where, const std::string& path) {
  if (path.starts_with("devices.")) {
    const std::string provider = path.substr(0, path.find('.', 8));
    if (!IsSection("devices")) return;  // the catalog itself is at fault, and has said so
    if (!IsSection(provider)) {
      errors_->push_back(where + ": " + path + ": no device file " + provider.substr(8) +
                         ".yaml is in devices_dir");
      return;
    }
  }
  const std::string near = devices::Nearest(path, known_);
  std::string error = where + ": " + path + ": unknown key";
  if (!near.empty()) error += ", did you mean '" + near + "'?";
  errors_->push_back(error);
}

void Layers::Finish(std::vector<std::string>* warnings) {
  for (const auto& [path, leaf] : leaves_) {
    if (Contains(known_, path)) continue;
    // "http:" with nothing below it, or "devices: {}" with every provider commented out
    if (leaf.value->kind == yaml::Node::Kind::kNull && (IsSection(path) || path == "devices")) {
      continue;
    }
    const std::string where =
        file_ + ":" + std::to_string(leaf.line) + ":" + std::to_string(leaf.column);
    if (IsSection(path)) {
      yaml::Report report(file_);
      report.Expected(*leaf.value, path, "a mapping of keys");
      errors_->push_back(report.errors().front());
    } else {
      Unknown(where, path);
    }
  }
  for (const auto& [path, text] : source_.overrides) {
    if (!Contains(known_, path)) Unknown("command line", path);
  }
  for (const auto& [name, text] : source_.environment) {
    if (!name.starts_with("AUREN_") || Contains(variables_, name)) continue;
    if (name == "AUREN_JWT_SECRET") continue;  // a short name, spoken of elsewhere
    const std::string near = devices::Nearest(name, variables_);
    if (name.find("__") != std::string::npos) {
      std::string error = "environment " + name + ": unknown key";
      if (!near.empty()) error.append(", did you mean '").append(near).append("'?");
      errors_->push_back(std::move(error));
    } else if (!near.empty()) {
      std::string warning = "environment " + name + " is not used";
      warnings->push_back(warning.append(", did you mean '").append(near).append("'?"));
    }
  }
}

}  // namespace auren::config
