// config/biometric_thresholds.yaml: the mode engine's configuration, in the shape of
// neuros.configure. The core knows the keys and their ranges; this file adds line and column to
// what it says.
#pragma once

#include <string>
#include <string_view>

#include "devices/yaml.h"

namespace auren::config {

// The same configuration as JSON text, holding what the file holds: absent keys take the database's
// defaults. Complaints go to `report`; the text is of use only when there are none.
std::string ThresholdsJson(std::string_view yaml, yaml::Report* report);

}  // namespace auren::config
