// `devices verify` and `devices test`, as people call them.
#include "app/devices_cli.h"

#include <filesystem>
#include <sstream>

#include "wearables.h"

namespace auren::app {
namespace {

struct Ran {
  int code;
  std::string out, err;
};

Ran Call(const std::vector<std::string>& args,
         const std::map<std::string, std::string>& environment = {}) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(AUREN_ROOT);
  std::ostringstream out, err;
  const int code = RunDevices(args, environment, out, err);
  std::filesystem::current_path(before);
  return {code, out.str(), err.str()};
}

const std::string kPayloads = AUREN_TEST_DATA "/wearables/payloads/";

TEST(DevicesTest, PrintsTheExpectedReadings) {
  for (const char* name : {"seed_healthkit_samples", "healthkit_hk_identifiers",
                           "hae_metrics_mixed", "hae_sleep_aggregated"}) {
    const auto expected = devices::Vectors("expected/" + std::string(name) + ".json");
    const Ran ran =
        Call({"test", expected.at("provider").get<std::string>(), kPayloads + name + ".json"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    auto rows = nlohmann::json::array();
    for (const auto& reading : nlohmann::json::parse(ran.out)) {
      auto row = nlohmann::json::array();
      for (const auto& column : expected.at("columns"))
        row.push_back(reading.at(column.get<std::string>()));
      rows.push_back(row);
    }
    EXPECT_EQ(rows, expected.at("rows")) << name;
  }
}

TEST(DevicesTest, NamesWhatItDoesNotKnow) {
  const Ran ran = Call({"test", "healthkit", kPayloads + "hae_metrics_mixed.json", "--user", "u"});
  EXPECT_EQ(ran.err, "unknown metric 'some_future_metric': kept in the event, no reading\n");
}

TEST(DevicesTest, SaysNoToWhatCannotBeMapped) {
  const Ran ran = Call({"test", "healthkit", kPayloads + "edge_empty_samples.json"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(ran.err.starts_with("no_usable_reading: ")) << ran.err;
  EXPECT_TRUE(Call({"test", "oura", kPayloads + "oura_webhook_sleep_create.json"})
                  .err.starts_with("not_built: "));
}

TEST(DevicesVerify, PrintsOneWord) {
  const std::vector<std::string> call = {
      "verify",
      "oura",
      kPayloads + "oura_webhook_sleep_create.json",
      "-H",
      "X-Oura-Signature: F236D1A713434CF5AC42AA93BD8BE166DCDD77CE6F4565F523A52C73D751B300",
      "-H",
      "X-Oura-Timestamp: 1737960072",
      "--now",
      "1737960075"};
  auto with_secret = call;
  with_secret.insert(with_secret.end(), {"--secret", "oura-client-secret-TEST"});
  EXPECT_EQ(Call(with_secret).out, "accept\n");
  EXPECT_EQ(Call(with_secret).code, 0);
  EXPECT_EQ(Call(call, {{"OURA_CLIENT_SECRET", "oura-client-secret-TEST"}}).out, "accept\n");
  EXPECT_EQ(Call(call).out, "reject:provider_not_configured\n");
  with_secret.back() = "wrong";
  EXPECT_EQ(Call(with_secret).out, "reject:bad_signature\n");
  EXPECT_EQ(Call(with_secret).code, 1);
  const Ran handshake = Call({"verify", "oura", "/dev/null", "--method", "GET", "--query",
                              "verification_token=t", "--query=challenge=c"},
                             {{"OURA_VERIFICATION_TOKEN", "t"}});
  EXPECT_EQ(handshake.out, "accept:handshake\n") << handshake.err;
}

TEST(DevicesUsage, SaysWhatIsWrong) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{}, "expected devices verify"},
      {{"verify", "oura"}, "expected devices verify"},
      {{"frobnicate", "a", "b"}, "expected devices verify"},
      {{"subscribe", "oura"}, "'devices subscribe' is not built yet"},
      {{"test", "nosuchthing", "/dev/null"}, "unknown provider 'nosuchthing', expected"},
      {{"test", "oura", "/nowhere"}, "/nowhere: cannot be read"},
      {{"test", "oura", "/dev/null", "--now", "soon"}, "expected --now"},
      {{"test", "oura", "/dev/null", "-H", "nocolon"}, "expected -H"},
      {{"test", "oura", "/dev/null", "--secret"}, "option '--secret' needs a value"},
      {{"test", "oura", "/dev/null", "--wat", "x"}, "unknown option '--wat'"},
      {{"verify", "oura", "/dev/null", "--public-key", "x"}, "not built yet"},
  };
  for (const auto& [args, says] : cases) {
    const Ran ran = Call(args);
    EXPECT_EQ(ran.code, 64) << says;
    EXPECT_NE(ran.err.find(says), std::string::npos) << ran.err;
  }
  EXPECT_EQ(Call({"test", "oura", "/dev/null", "--config", "/nowhere.yaml"}).code, 78);
}

}  // namespace
}  // namespace auren::app
