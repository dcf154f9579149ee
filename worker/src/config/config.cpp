#include "config/config.h"

#include <filesystem>

#include "config/keys.h"
#include "config/layers.h"
#include "config/thresholds.h"
#include "devices/crypto.h"
#include "devices/scalar.h"

namespace auren::config {
namespace {

constexpr std::string_view kPrefix = "AUREN_";  // of EnvironmentName
constexpr char kDefaultFile[] = "config/auren.yaml";

// Variables of older set-ups, and what replaces them.
struct Replaced {
  const char *name, *by;
};
constexpr Replaced kReplaced[] = {
    {"REDIS_URL", "PostgreSQL holds all state, there is nothing to set instead"},
    {"REDIS_TTL_SECONDS", "PostgreSQL holds all state, there is nothing to set instead"},
    {"OURA_ACCESS_TOKEN", "Oura no longer issues such tokens, set OURA_CLIENT_SECRET"},
};

bool Exists(const std::string& path) {
  std::error_code code;
  return std::filesystem::exists(path, code);
}

// Collects one configuration from its layers.
class Loader {
 public:
  Loader(const Source& source, Loaded* loaded)
      : loaded_(loaded),
        file_(!source.file.empty() ? source.file : (Exists(kDefaultFile) ? kDefaultFile : "")),
        layers_(source, file_, &loaded->errors) {
    for (const Replaced& old : kReplaced) {
      if (source.environment.contains(old.name)) {
        loaded_->warnings.push_back(std::string("environment ") + old.name +
                                    " is not used: " + old.by);
      }
    }
    // Nothing uses it yet, and nobody should believe otherwise.
    if (source.environment.contains("AUREN_JWT_SECRET")) {
      loaded_->warnings.push_back(
          "environment AUREN_JWT_SECRET is not used: tokens of the API are not built yet");
    }
  }

  void Run() {
    for (const Key& key : Keys()) Set(key);
    if (config_->http.tls.cert_file.empty() != config_->http.tls.key_file.empty()) {
      loaded_->errors.push_back(
          "http.tls: expected both cert_file and key_file, or neither, got one of them");
    }
    if (config_->kafka.bootstrap_servers.empty()) {
      if (config_->ingest.mode == "kafka") NeedsKafka("ingest.mode: kafka");
      if (config_->outbox.enabled) NeedsKafka("outbox.enabled: true");
    }
    LoadDevices();
    LoadThresholds();
    layers_.Finish(&loaded_->warnings);
    if (loaded_->errors.empty()) loaded_->config = config_;
  }

 private:
  void NeedsKafka(const char* what) {
    loaded_->errors.push_back(std::string(what) + " needs kafka.bootstrap_servers, which is empty");
  }

  void Fault(const Value& value, std::string_view path, std::string_view allowed, bool secret) {
    loaded_->errors.push_back(value.where + ": " + std::string(path) + ": expected " +
                              std::string(allowed) + ", got " +
                              (secret ? "***" : "'" + Masked(value.text) + "'"));
  }

  void Show(std::string_view path, const Value& value, bool secret) {
    loaded_->shown.push_back({std::string(path),
                              secret && !value.text.empty() ? "***" : Masked(value.text),
                              value.origin, std::hash<std::string>()(value.text)});
  }

  void Set(const Key& key) {
    const Value value = layers_.Get(key.path, key.fallback, key.short_name, key.list);
    switch (key.set(value.text, config_.get())) {
      case Outcome::kOk:
        break;
      case Outcome::kNotAllowed:
        Fault(value, key.path, key.allowed, key.secret);
        break;
      case Outcome::kNotBuilt:
        loaded_->errors.push_back(value.where + ": " + key.path + ": '" + Masked(value.text) +
                                  "' is not built yet, leave it at the default '" + key.fallback +
                                  "'");
        break;
    }
    Show(key.path, value, key.secret);
    explicit_[key.path] = value.set;
  }

  // A default path that is not below the working directory may lie beside the file.
  std::string Beside(const std::string& path, const char* key, const char* name) {
    if (explicit_[key] || file_.empty() || Exists(path)) return path;
    const std::string beside = (std::filesystem::path(file_).parent_path() / name).string();
    return Exists(beside) ? beside : path;
  }

  void LoadDevices() {
    config_->devices_dir = Beside(config_->devices_dir, "devices_dir", "devices");
    std::string error;
    config_->catalog = devices::Catalog::Load(config_->devices_dir, &error);
    if (config_->catalog == nullptr) {
      for (std::string& line : devices::SplitList(error, '\n')) {
        loaded_->errors.push_back(std::move(line));
      }
      return;
    }
    for (const std::string& provider : config_->catalog->providers()) LoadSecrets(provider);
    for (const std::string& provider : config_->catalog->providers()) {
      const std::string lender = config_->catalog->Find(provider)->secrets_from();
      auto& values = config_->devices[provider].values;
      if (lender.empty()) continue;
      for (const auto& [name, lent] : config_->devices[lender].values) {
        if (values[name].empty()) values[name] = lent;
      }
    }
  }

  void LoadSecrets(const std::string& provider) {
    devices::Secrets& secrets = config_->devices[provider];
    const std::string section = "devices." + provider + ".";
    for (const std::string& name : config_->catalog->Find(provider)->secret_names()) {
      std::string variable = EnvironmentName(provider).append("_");
      variable.append(EnvironmentName(name), kPrefix.size()).erase(0, kPrefix.size());
      const Value value = layers_.Get(section + name, "", variable, true);
      secrets.values[name] = devices::SplitList(value.text);
      Show(section + name, value, true);
    }
    const Value tolerance = layers_.Get(section + "tolerance", "300s", "", false);
    const auto seconds = devices::ParseDuration(tolerance.text);
    if (!seconds || *seconds < 1 || *seconds > 86400) {
      Fault(tolerance, section + "tolerance", "a duration from 1s to 1d", false);
    } else {
      secrets.tolerance_seconds = static_cast<std::int64_t>(*seconds);
    }
    Show(section + "tolerance", tolerance, false);
    for (const char* name : {"fetch_base_url", "token_url"}) {
      const Value value = layers_.Get(section + name, "", "", false);
      if (!value.text.empty()) {
        loaded_->errors.push_back(value.where + ": " + section + name +
                                  ": fetching is not built yet, leave it out");
      }
      Show(section + name, value, false);
    }
  }

  void LoadThresholds() {
    config_->thresholds_file =
        Beside(config_->thresholds_file, "thresholds_file", "biometric_thresholds.yaml");
    if (!explicit_["thresholds_file"] && !Exists(config_->thresholds_file)) {
      loaded_->warnings.push_back(config_->thresholds_file +
                                  " is not there: the database keeps its own thresholds");
      return;
    }
    std::string text, error;
    if (!yaml::ReadFile(config_->thresholds_file, &text, &error)) {
      loaded_->errors.push_back(error);
      return;
    }
    yaml::Report report(config_->thresholds_file);
    config_->thresholds_json = ThresholdsJson(text, &report);
    config_->thresholds_sha256 = devices::Sha256Hex(text);
    loaded_->errors.insert(loaded_->errors.end(), report.errors().begin(), report.errors().end());
  }

  Loaded* loaded_;
  std::shared_ptr<Config> config_ = std::make_shared<Config>();
  std::string file_;
  Layers layers_;
  std::map<std::string, bool> explicit_;  // was this key set by anyone?
};

}  // namespace

Loaded Load(const Source& source) {
  Loaded loaded;
  try {
    Loader(source, &loaded).Run();
  } catch (const std::exception& e) {
    loaded.config = nullptr;
    loaded.errors.push_back(std::string("the configuration cannot be loaded: ") + e.what());
  }
  return loaded;
}

}  // namespace auren::config
