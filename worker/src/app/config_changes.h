// What a reload changed, for the log: keys by their shown values (a secret is ***), device files by
// provider, the thresholds file.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace auren::app {

struct ConfigChange {
  enum class Kind { kKey, kDeviceAdded, kDeviceChanged, kDeviceRemoved, kThresholds };
  Kind kind;
  std::string name;         // the key, the provider, or the thresholds file
  std::string from, to;     // of a key: its values; of the thresholds: the files' SHA-256
  bool at_restart = false;  // a key that is read at start only
};

// In the order of the documented keys, then the devices by name, then the thresholds.
// `restart_keys`: comma separated, as ChangedRestartKeys gives them. A key that only one of the two
// knows (a device's, that came or went) counts when somebody has set it. REQUIRES: both hold a
// config.
std::vector<ConfigChange> ConfigChanges(const config::Loaded& before, const config::Loaded& now,
                                        const std::string& restart_keys);

}  // namespace auren::app
