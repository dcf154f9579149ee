// Device files that are wrong say where and why.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "devices/device.h"
#include "devices/yaml.h"

namespace auren::devices {
namespace {

namespace fs = std::filesystem;

class DeviceFiles : public ::testing::Test {
 protected:
  DeviceFiles() {
    dir_ =
        fs::temp_directory_path() /
        (std::string("auren_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  ~DeviceFiles() override { fs::remove_all(dir_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name) << text;
  }
  std::string Error() {
    std::string error;
    const auto catalog = Catalog::Load(dir_.string(), &error);
    EXPECT_EQ(catalog == nullptr, !error.empty());
    return error;
  }

  static constexpr char kGood[] =
      "provider: ring\n"
      "secrets: [key]\n"
      "verify:\n"
      "  - {scheme: bearer, secret: key}\n"
      "metrics:\n"
      "  heart_rate: {unit: /min}\n"
      "shapes:\n"
      "  - name: plain\n"
      "    when: [/bpm]\n"
      "    readings:\n"
      "      - values: [{metric: heart_rate, value_from: [/bpm]}]\n";

  std::string Changed(const std::string& from, const std::string& to) {
    std::string text = kGood;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }
  fs::path dir_;
};

TEST_F(DeviceFiles, AFileIsADevice) {
  Write("ring.yaml", kGood);
  Write("notes.txt", "not a device");
  fs::create_directories(dir_ / "experimental");
  Write("experimental/broken.yaml", "[");
  std::string error;
  const auto catalog = Catalog::Load(dir_.string(), &error);
  ASSERT_NE(catalog, nullptr) << error;
  EXPECT_EQ(catalog->providers(), std::vector<std::string>{"ring"});
  EXPECT_EQ(catalog->Find("nosuchthing"), nullptr);
  EXPECT_EQ(catalog->Find("ring")->max_body_bytes(), 256u << 10);
  EXPECT_EQ(catalog->Find("ring")->success_status(), 202);
}

TEST_F(DeviceFiles, MistakesAreNamedWithTheirPlace) {
  const struct {
    std::string text, says;
  } cases[] = {
      {Changed("secret: key", "secret: keys"), "verify: 'keys' is not listed under secrets"},
      {Changed("scheme: bearer", "scheme: barer"),
       ":4:14: verify[0].scheme: expected hmac, bearer, header or path_token, got 'barer'"},
      {Changed("verify:", "verfy:"), ":3:1: verfy: unknown key, did you mean 'verify'?"},
      {Changed("provider: ring", "provider: rong"),
       "provider: expected 'ring', the name of the file"},
      {Changed("when: [/bpm]", "when: [bpm]"), "shapes[0].when: expected JSON pointers"},
      {Changed("when: [/bpm]", "when: []"), "shapes[0].when: expected at least one pointer"},
      {Changed("metric: heart_rate,", "metric: heartbeat,"),
       ":11:27: shapes[0].readings[0].values[0].metric: expected a metric of this file "
       "(heart_rate)"},
      {Changed("{unit: /min}", "{}"), ":6:15: metrics.heart_rate.unit: this key is missing"},
      {Changed("{unit: /min}", "{unit: /min, unit: ms}"), ":6:28: unit: this key is already set"},
      {Changed("{unit: /min}", "&a {unit: /min}"), ":6:15: anchors are not allowed"},
      {Changed("{unit: /min}", "*a"), "6:"},
      {Changed("{unit: /min}", "{<<: {unit: /min}}"), ":6:16: <<: merge keys are not allowed"},
      {Changed("{unit: /min}", "!!map {unit: /min}"), "tags are not allowed"},
      {std::string(kGood) + "---\na: 1\n", "only one document is allowed"},
      {Changed("readings:\n", "fetch: true\n    readings:\n"),
       "expected exactly one of readings, as or fetch: true"},
      {std::string(kGood) + "form: yes\n", ":12:7: form: expected true or false, got 'yes'"},
      {std::string(kGood) + "body_limit: 1KB\n",
       ":12:13: body_limit: expected a size such as 256KiB"},
      {std::string(kGood) + "secrets_from: wing\n", "secrets_from: expected another provider"},
      {Changed("shapes:\n", "shapes:\n  - {name: a, when: [/a], as: ring}\n"),
       "shapes.as: expected another provider"},
      {Changed("{unit: /min}", "{unit: /min}\n  pulse: {unit: /min, names: [Heart Rate]}"),
       "'Heart Rate' already means 'heart_rate'"},
      {"[1, 2]", "expected a mapping of keys, got a list"},
      {"provider: [", "not YAML"},
      {"", "provider: this key is missing"},
  };
  for (const auto& [text, says] : cases) {
    Write("ring.yaml", text);
    const std::string error = Error();
    EXPECT_NE(error.find("ring.yaml:"), std::string::npos) << error;
    EXPECT_NE(error.find(says), std::string::npos) << "wanted: " << says << "\ngot: " << error;
  }
}

TEST_F(DeviceFiles, AMissingFolderIsAnError) {
  std::string error;
  EXPECT_EQ(Catalog::Load((dir_ / "nowhere").string(), &error), nullptr);
  EXPECT_NE(error.find("cannot be read"), std::string::npos) << error;
}

TEST_F(DeviceFiles, AFileNameMustBeAProviders) {
  Write("My-Ring.yaml", kGood);
  EXPECT_NE(Error().find("expected a file name"), std::string::npos);
}

}  // namespace
}  // namespace auren::devices
