#include "app/config_changes.h"

#include <map>
#include <set>

#include "devices/scalar.h"

namespace auren::app {
namespace {

using config::Loaded;
using Kind = ConfigChange::Kind;

void AddKeys(const Loaded& before, const Loaded& now, const std::string& restart_keys,
             std::vector<ConfigChange>* changes) {
  const auto listed = devices::SplitList(restart_keys);
  const std::set<std::string> at_restart(listed.begin(), listed.end());
  std::map<std::string, const Loaded::Shown*> was;
  for (const Loaded::Shown& shown : before.shown) was[shown.key] = &shown;
  const auto is_set = [](const Loaded::Shown& shown) {
    return shown.origin != "default" && !shown.value.empty();
  };
  for (const Loaded::Shown& shown : now.shown) {
    const auto found = was.find(shown.key);
    if (found == was.end()) {
      if (is_set(shown)) changes->push_back({Kind::kKey, shown.key, "", shown.value});
      continue;
    }
    if (found->second->print != shown.print) {
      changes->push_back({Kind::kKey, shown.key, found->second->value, shown.value,
                          at_restart.contains(shown.key)});
    }
    was.erase(found);
  }
  for (const auto& [key, shown] : was) {
    if (is_set(*shown)) changes->push_back({Kind::kKey, key, shown->value, ""});
  }
}

void AddDevices(const devices::Catalog& before, const devices::Catalog& now,
                std::vector<ConfigChange>* changes) {
  std::map<std::string, Kind> kinds;
  for (const auto& [provider, digest] : now.digests()) {
    const auto was = before.digests().find(provider);
    if (was == before.digests().end()) {
      kinds[provider] = Kind::kDeviceAdded;
    } else if (was->second != digest) {
      kinds[provider] = Kind::kDeviceChanged;
    }
  }
  for (const auto& [provider, digest] : before.digests()) {
    if (!now.digests().contains(provider)) kinds[provider] = Kind::kDeviceRemoved;
  }
  for (const auto& [provider, kind] : kinds) changes->push_back({kind, provider, "", ""});
}

}  // namespace

std::vector<ConfigChange> ConfigChanges(const Loaded& before, const Loaded& now,
                                        const std::string& restart_keys) {
  std::vector<ConfigChange> changes;
  AddKeys(before, now, restart_keys, &changes);
  AddDevices(*before.config->catalog, *now.config->catalog, &changes);
  if (before.config->thresholds_sha256 != now.config->thresholds_sha256) {
    changes.push_back({Kind::kThresholds, now.config->thresholds_file,
                       before.config->thresholds_sha256, now.config->thresholds_sha256});
  }
  return changes;
}

}  // namespace auren::app
