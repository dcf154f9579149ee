// YAML, read strictly. yaml-cpp lets through what makes a configuration file lie: a key written
// twice, anchors and aliases, merge keys, tags, a second document. All of them are errors here, and
// every node knows its line and column, so that each complaint can say where.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace auren::yaml {

struct Entry;

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;            // kScalar
  int line = 1, column = 1;    // from 1
  std::vector<Node> items;     // kList
  std::vector<Entry> entries;  // kMap, in the order of the file

  const Node* Find(std::string_view key) const;
};

struct Entry {
  std::string key;
  int line = 1, column = 1;
  Node value;
};

// Gathers complaints about one file: "auren.yaml:14:7: ingest.mode: expected ..., got ...".
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  void Add(int line, int column, std::string_view key, std::string_view complaint);
  void Add(const Node& node, std::string_view key, std::string_view complaint) {
    Add(node.line, node.column, key, complaint);
  }
  void Expected(const Node& node, std::string_view key, std::string_view allowed);
  bool ok() const { return errors_.empty(); }
  const std::vector<std::string>& errors() const { return errors_; }
  std::string Joined() const;  // one error a line

 private:
  std::string file_;
  std::vector<std::string> errors_;
};

// What a node is, in words, for "got ...": "a list", "nothing", "'x'".
std::string Describe(const Node& node);

// Parses one document. An empty text is an empty map. On a fault `report` says so and the result is
// of no use. Never throws.
Node Parse(std::string_view text, Report* report);

// The bytes of a file; false with `error` set when it cannot be read.
bool ReadFile(const std::string& path, std::string* bytes, std::string* error);

// One mapping of a file. Ask for its keys by name; Finish complains about those nobody asked for.
class Section {
 public:
  // `node` may be null or a null node: an empty section. Anything but a map is reported.
  Section(const Node* node, std::string path, Report* report);

  const Node* Take(std::string_view key);
  bool Has(std::string_view key) const;

  // Each leaves `out` alone when the key is absent, and reports what is wrong.
  void Text(std::string_view key, std::string* out);
  void Choice(std::string_view key, const std::vector<std::string>& allowed, std::string* out);
  void Bool(std::string_view key, bool* out);
  void Whole(std::string_view key, long long min, long long max, int* out);
  void Seconds(std::string_view key, double* out);
  void Size(std::string_view key, std::size_t* out);
  void Strings(std::string_view key, std::vector<std::string>* out);  // a list, or one scalar

  // Complains when `key` is not there.
  void Require(std::string_view key);
  void Finish();

  std::string Path(std::string_view key) const;
  const Node& node() const { return *node_; }
  Report* report() const { return report_; }

 private:
  const Node* Scalar(std::string_view key, std::string_view allowed);

  const Node* node_;
  std::string path_;
  Report* report_;
  std::vector<std::string> taken_;
};

}  // namespace auren::yaml
