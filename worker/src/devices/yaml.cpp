#include "devices/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "devices/scalar.h"

namespace auren::yaml {
namespace {

const Node kEmpty{Node::Kind::kMap, {}, 1, 1, {}, {}};

// Builds the tree, and keeps the first thing it does not allow.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(Report* report) : report_(report) {}
  Node TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Refuse(mark, "?", anchor);
    Put(At(mark, Node::Kind::kNull));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Complain(mark, "aliases are not allowed: write the value out");
    Put(At(mark, Node::Kind::kNull));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Refuse(mark, tag, anchor);
    // A plain `~` or `null` is YAML's word for nothing; yaml-cpp reports it as a scalar.
    const bool plain = tag == "?";
    Node node = At(
        mark, plain && (value == "~" || value == "null") ? Node::Kind::kNull : Node::Kind::kScalar);
    node.text = value;
    Put(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Refuse(mark, tag, anchor);
    open_.push_back({At(mark, Node::Kind::kList), {}, false});
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Refuse(mark, tag, anchor);
    open_.push_back({At(mark, Node::Kind::kMap), {}, false});
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapEnd() override { Close(); }

 private:
  struct Open {
    Node node;
    Entry entry;  // a map's entry whose value is still to come
    bool has_key;
  };

  static Node At(const YAML::Mark& mark, Node::Kind kind) {
    Node node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }
  void Complain(const YAML::Mark& mark, std::string_view what) {
    report_->Add(mark.line + 1, mark.column + 1, "", what);
  }
  void Refuse(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) Complain(mark, "anchors are not allowed: write the value out");
    if (!tag.empty() && tag != "?" && tag != "!") Complain(mark, "tags are not allowed");
  }
  void Close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    Put(std::move(node));
  }
  void Put(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& top = open_.back();
    if (top.node.kind == Node::Kind::kList) {
      top.node.items.push_back(std::move(node));
    } else if (!top.has_key) {
      TakeKey(&top, node);
    } else {
      top.entry.value = std::move(node);
      top.node.entries.push_back(std::move(top.entry));
      top.entry = Entry{};
      top.has_key = false;
    }
  }
  void TakeKey(Open* top, const Node& node) {
    if (node.kind != Node::Kind::kScalar) {
      report_->Add(node, "", "a key must be a word");
    } else if (node.text == "<<") {
      report_->Add(node, "<<", "merge keys are not allowed: write the keys out");
    } else if (const Node* before = top->node.Find(node.text)) {
      report_->Add(node, node.text,
                   "this key is already set on line " + std::to_string(before->line));
    }
    top->entry = Entry{node.text, node.line, node.column, {}};
    top->has_key = true;
  }

  Report* report_;
  Node root_;
  std::vector<Open> open_;
};

}  // namespace

const Node* Node::Find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

void Report::Add(int line, int column, std::string_view key, std::string_view complaint) {
  std::string error = file_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
  if (!key.empty()) error.append(key).append(": ");
  errors_.push_back(error.append(complaint));
}

void Report::Expected(const Node& node, std::string_view key, std::string_view allowed) {
  Add(node, key, "expected " + std::string(allowed) + ", got " + Describe(node));
}

std::string Report::Joined() const {
  std::string text;
  for (const std::string& error : errors_) {
    if (!text.empty()) text += '\n';
    text += error;
  }
  return text;
}

std::string Describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a mapping";
    case Node::Kind::kScalar:
      break;
  }
  return "'" + node.text + "'";
}

Node Parse(std::string_view text, Report* report) {
  Builder builder(report);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) return kEmpty;
    Node root = builder.TakeRoot();
    Builder more(report);
    if (parser.HandleNextDocument(more)) {
      report->Add(more.TakeRoot(), "", "only one document is allowed");
    }
    if (root.kind == Node::Kind::kNull) return kEmpty;
    return root;
  } catch (const YAML::Exception& e) {
    report->Add(e.mark.line + 1, e.mark.column + 1, "", "not YAML: " + e.msg);
  } catch (const std::exception& e) {
    report->Add(1, 1, "", std::string("cannot be read: ") + e.what());
  }
  return kEmpty;
}

bool ReadFile(const std::string& path, std::string* bytes, std::string* error) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  // Reading a folder opens well and fails here.
  if (in) out << in.rdbuf();
  if (!in && !in.eof()) {
    *error = path + ": cannot be read: " + std::strerror(errno);
    return false;
  }
  *bytes = out.str();
  return true;
}

Section::Section(const Node* node, std::string path, Report* report)
    : node_(node != nullptr ? node : &kEmpty), path_(std::move(path)), report_(report) {
  if (node_->kind == Node::Kind::kNull) node_ = &kEmpty;
  if (node_->kind != Node::Kind::kMap) {
    report_->Expected(*node_, path_, "a mapping of keys");
    node_ = &kEmpty;
  }
}

std::string Section::Path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

bool Section::Has(std::string_view key) const { return node_->Find(key) != nullptr; }

const Node* Section::Take(std::string_view key) {
  taken_.emplace_back(key);
  return node_->Find(key);
}

const Node* Section::Scalar(std::string_view key, std::string_view allowed) {
  const Node* node = Take(key);
  if (node == nullptr || node->kind == Node::Kind::kScalar) return node;
  report_->Expected(*node, Path(key), allowed);
  return nullptr;
}

void Section::Text(std::string_view key, std::string* out) {
  if (const Node* node = Scalar(key, "a text")) *out = node->text;
}

void Section::Choice(std::string_view key, const std::vector<std::string>& allowed,
                     std::string* out) {
  const std::string words = devices::OneOf(allowed);
  const Node* node = Scalar(key, words);
  if (node == nullptr) return;
  if (std::find(allowed.begin(), allowed.end(), node->text) == allowed.end()) {
    report_->Expected(*node, Path(key), words);
    return;
  }
  *out = node->text;
}

void Section::Bool(std::string_view key, bool* out) {
  constexpr std::string_view kAllowed = "true or false";
  const Node* node = Scalar(key, kAllowed);
  if (node == nullptr) return;
  const std::optional<bool> value = devices::ParseBool(node->text);
  if (!value) return report_->Expected(*node, Path(key), kAllowed);
  *out = *value;
}

void Section::Whole(std::string_view key, long long min, long long max, int* out) {
  const std::string allowed =
      "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  const Node* node = Scalar(key, allowed);
  if (node == nullptr) return;
  const auto value = devices::ParseWhole(node->text, min, max);
  if (!value) return report_->Expected(*node, Path(key), allowed);
  *out = static_cast<int>(*value);
}

void Section::Seconds(std::string_view key, double* out) {
  constexpr std::string_view kAllowed = "a duration such as 5s or 1h";
  const Node* node = Scalar(key, kAllowed);
  if (node == nullptr) return;
  const auto value = devices::ParseDuration(node->text);
  if (!value) return report_->Expected(*node, Path(key), kAllowed);
  *out = *value;
}

void Section::Size(std::string_view key, std::size_t* out) {
  constexpr std::string_view kAllowed = "a size such as 256KiB";
  const Node* node = Scalar(key, kAllowed);
  if (node == nullptr) return;
  const auto value = devices::ParseSize(node->text);
  if (!value) return report_->Expected(*node, Path(key), kAllowed);
  *out = static_cast<std::size_t>(*value);
}

void Section::Strings(std::string_view key, std::vector<std::string>* out) {
  const Node* node = Take(key);
  if (node == nullptr) return;
  if (node->kind == Node::Kind::kScalar) {
    *out = {node->text};
    return;
  }
  if (node->kind != Node::Kind::kList)
    return report_->Expected(*node, Path(key), "a list of texts");
  out->clear();
  for (const Node& item : node->items) {
    if (item.kind != Node::Kind::kScalar) {
      report_->Expected(item, Path(key), "a text");
    } else {
      out->push_back(item.text);
    }
  }
}

void Section::Require(std::string_view key) {
  if (!Has(key)) report_->Add(*node_, Path(key), "this key is missing");
}

void Section::Finish() {
  for (const Entry& entry : node_->entries) {
    if (std::find(taken_.begin(), taken_.end(), entry.key) != taken_.end()) continue;
    const std::string near = devices::Nearest(entry.key, taken_);
    report_->Add(entry.line, entry.column, Path(entry.key),
                 near.empty() ? "unknown key, expected " + devices::OneOf(taken_)
                              : "unknown key, did you mean '" + near + "'?");
  }
}

}  // namespace auren::yaml
