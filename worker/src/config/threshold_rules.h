// The rules of a mode in the thresholds file, in the shape of core/rules.h. The catalogue of
// metrics is not known here, so a metric's spelling is checked; the database tells whether there is
// one.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

#include "core/config.h"
#include "devices/yaml.h"

namespace auren::config {

// A mistake that the core found, with its place.
void Complain(const yaml::Node& node, const std::string& key, const core::Status& status,
              yaml::Report* report);

// A number as JSON: 25, not 25.0, where the file says so.
nlohmann::ordered_json AsJson(double number);

// Adds the rules of a mode that is in `config`, and returns them as neuros.configure takes them.
nlohmann::ordered_json ReadRules(const yaml::Node& rules, const std::string& path,
                                 const std::string& mode, core::Config* config,
                                 yaml::Report* report);

}  // namespace auren::config
