// What a reload says it changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/config_changes.h"
#include "own_path.h"

namespace auren::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ConfigChangesTest : public testing::Test {
 protected:
  ConfigChangesTest() {
    std::filesystem::create_directories(dir_ + "/devices");
    for (const char* name : {"healthkit.yaml", "health_auto_export.yaml"}) {
      std::filesystem::copy(std::string(AUREN_ROOT "/config/devices/") + name,
                            dir_ + "/devices/" + name);
    }
    std::filesystem::copy(AUREN_ROOT "/config/biometric_thresholds.yaml", dir_);
    Write("auren.yaml", "{}\n");
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ + "/" + name) << text;
  }
  void Append(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ + "/" + name, std::ios::app) << text;
  }
  config::Loaded Load() {
    config::Source source;
    source.file = dir_ + "/auren.yaml";
    source.environment = environment_;
    source.environment["AUREN_DEVICES_DIR"] = dir_ + "/devices";
    source.environment["BIOMETRIC_CONFIG"] = dir_ + "/biometric_thresholds.yaml";
    config::Loaded loaded = config::Load(source);
    for (const std::string& error : loaded.errors) ADD_FAILURE() << error;
    return loaded;
  }
  // What changed since `before`, one line each.
  std::vector<std::string> Since(const config::Loaded& before, const std::string& restart = "") {
    constexpr const char* kKinds[] = {"", "added ", "changed ", "removed ", "thresholds "};
    std::vector<std::string> lines;
    for (const ConfigChange& change : ConfigChanges(before, Load(), restart)) {
      std::string line = kKinds[static_cast<int>(change.kind)] + change.name;
      if (change.kind == ConfigChange::Kind::kKey) line += ": " + change.from + " -> " + change.to;
      lines.push_back(line + (change.at_restart ? " (at restart)" : ""));
    }
    return lines;
  }

  ~ConfigChangesTest() override { std::filesystem::remove_all(dir_); }

  const std::string dir_ = OwnPath("config_changes");
  std::map<std::string, std::string> environment_;
};

TEST_F(ConfigChangesTest, NothingChanged) {
  const config::Loaded before = Load();
  EXPECT_THAT(Since(before), IsEmpty());
  Write("auren.yaml", "# a comment\nhttp: {drain: 5s}\n");
  EXPECT_THAT(Since(before), IsEmpty()) << "the default, said";
}

TEST_F(ConfigChangesTest, KeysFromOldToNew) {
  Write("auren.yaml", "log: {level: warn}\n");
  const config::Loaded before = Load();
  Write("auren.yaml", "http: {drain: 7s, threads: 9}\nlimits: {api_per_key: \"3/1s\"}\n");
  EXPECT_THAT(Since(before, "http.listen, http.threads"),
              ElementsAre("http.threads: 128 -> 9 (at restart)", "http.drain: 5s -> 7s",
                          "limits.api_per_key: 100/60s -> 3/1s", "log.level: warn -> info"));
}

TEST_F(ConfigChangesTest, SecretsAreNotSaid) {
  environment_["POSTGRES_URL"] = "postgresql://worker:first@127.0.0.1/auren";
  Write("auren.yaml", "log: {user_hash_key: first}\ndevices: {healthkit: {api_keys: [first]}}\n");
  const config::Loaded before = Load();
  environment_["POSTGRES_URL"] = "postgresql://worker:second@127.0.0.1/auren";
  Write("auren.yaml",
        "log: {user_hash_key: second}\ndevices: {healthkit: {api_keys: [first, second]}}\n");
  const std::vector<std::string> lines = Since(before);
  EXPECT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines, testing::Contains("log.user_hash_key: *** -> ***"));
  EXPECT_THAT(lines, testing::Contains("devices.healthkit.api_keys: *** -> ***"));
  for (const std::string& line : lines) {
    EXPECT_THAT(line, Not(HasSubstr("first")));
    EXPECT_THAT(line, Not(HasSubstr("second")));
  }
  Write("auren.yaml", "{}\n");
  EXPECT_THAT(Since(before), testing::Contains("log.user_hash_key: *** -> "));
}

TEST_F(ConfigChangesTest, DeviceFilesByProvider) {
  const config::Loaded before = Load();
  Append("devices/healthkit.yaml", "# another line\n");
  std::filesystem::copy(AUREN_ROOT "/config/devices/oura.yaml", dir_ + "/devices");
  EXPECT_THAT(Since(before), ElementsAre("changed healthkit", "added oura"));
  const config::Loaded between = Load();
  Write("auren.yaml", "devices: {oura: {client_secret: s}}\n");
  const config::Loaded with_secret = Load();
  EXPECT_THAT(Since(between), ElementsAre("devices.oura.client_secret:  -> ***"));
  Write("auren.yaml", "{}\n");
  std::filesystem::remove(dir_ + "/devices/oura.yaml");
  EXPECT_THAT(Since(with_secret),
              ElementsAre("devices.oura.client_secret: *** -> ", "removed oura"));
  EXPECT_THAT(Since(between), ElementsAre("removed oura"));
}

TEST_F(ConfigChangesTest, TheThresholdsFile) {
  const config::Loaded before = Load();
  Append("biometric_thresholds.yaml", "# another line\n");
  EXPECT_THAT(Since(before), ElementsAre("thresholds " + dir_ + "/biometric_thresholds.yaml"));
}

}  // namespace
}  // namespace auren::app
