// Where a value comes from: command line, environment, file, default, strongest first.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "devices/yaml.h"

namespace auren::config {

struct Value {
  std::string text;
  std::string origin;  // for --print-config: "default", "config/auren.yaml:14", "environment X"
  std::string where;   // for errors: "config/auren.yaml:14:7", "environment X", "command line"
  bool set = false;    // false: nothing but the default speaks
};

class Layers {
 public:
  // Reads the file (none when `file` is empty). Complaints go to `errors`.
  Layers(const Source& source, const std::string& file, std::vector<std::string>* errors);

  // The strongest value of a key. `list`: the file may hold a list or a flat mapping, too.
  // `short_name` of the environment may be empty. REQUIRES: every key is asked for once.
  Value Get(const std::string& path, std::string_view fallback, std::string_view short_name,
            bool list);

  // Complains about everything nobody asked for; unknown variables of the environment only when
  // they are near to one that is known, since other programs may use AUREN_ too.
  void Finish(std::vector<std::string>* warnings);

 private:
  struct Leaf {
    const yaml::Node* value;
    int line, column;  // of the key
  };

  void Flatten(const yaml::Node& node, const std::string& prefix);
  std::optional<Value> FromEnvironment(const std::string& name);
  std::optional<Value> FromFile(const std::string& path, bool list);
  void Unknown(const std::string& where, const std::string& path);
  bool IsSection(const std::string& path) const;

  const Source& source_;
  std::string file_;
  std::vector<std::string>* errors_;
  yaml::Node tree_;
  std::map<std::string, Leaf> leaves_;
  std::vector<std::string> known_;      // paths asked for
  std::vector<std::string> variables_;  // and their names in the environment
};

}  // namespace auren::config
