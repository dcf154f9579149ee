// The app's pure parts: body checks, answers, command line, what a reload cannot change.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/answers.h"
#include "app/body_checks.h"
#include "app/command_line.h"
#include "app/file_watch.h"
#include "app/outcome_metrics.h"
#include "app/restart_keys.h"
#include "own_path.h"

namespace auren::app {
namespace {

TEST(CheckBody, TakesJsonAndOddText) {
  EXPECT_FALSE(CheckBody(R"({"a":"\\u0000 \" [[[","b":[{}]})", true));
  EXPECT_FALSE(CheckBody(std::string(64, '[') + std::string(64, ']'), true));
  EXPECT_FALSE(CheckBody(std::string(100, '['), false));
  EXPECT_FALSE(CheckBody("", true));
}

TEST(CheckBody, RefusesWhatPostgresqlCannotStore) {
  EXPECT_TRUE(CheckBody(std::string("{}\0", 3), true));
  EXPECT_TRUE(CheckBody(std::string("a=\0", 3), false));
  EXPECT_TRUE(CheckBody(R"({"a":"\u0000"})", true));
  EXPECT_TRUE(CheckBody(R"({"a":"\\\u0000"})", true));
  EXPECT_TRUE(CheckBody("{\"a\":\"\xff\"}", true));
  EXPECT_TRUE(CheckBody(std::string(65, '[') + std::string(65, ']'), true));
}

ingest::Outcome Make(const std::string& status, const std::string& problem = "") {
  ingest::Outcome outcome;
  outcome.status = status;
  outcome.event_id = "e-" + status;
  outcome.problem = problem;
  return outcome;
}

TEST(AnswerOf, OuterStatusIsTheWeakest) {
  EXPECT_EQ(WeakestStatus({Make("applied"), Make("duplicate")}), "duplicate");
  EXPECT_EQ(WeakestStatus({Make("duplicate"), Make("queued"), Make("applied")}), "queued");
  const auto response =
      AnswerOf({Make("applied"), Make("rejected", R"({"code":"wrong_shape"})")}, 202);
  EXPECT_EQ(response.status, 202);
  const auto body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body.at("status"), "rejected");
  EXPECT_EQ(body.at("event_id"), "e-applied");
  EXPECT_EQ(body.at("deliveries").at(1).at("problems").at(0).at("code"), "wrong_shape");
}

TEST(AnswerOf, AllRejectedIsAProblem) {
  const auto response = AnswerOf({Make("rejected", R"([{"code":"user_unresolved"}])")}, 202);
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.code, "user_unresolved");
  EXPECT_EQ(nlohmann::json::parse(response.body).at("deliveries").size(), 1u);
  EXPECT_EQ(AnswerOf({Make("rejected", R"({"code":"user_mismatch"})")}, 202).status, 403);
  // A code that is PostgreSQL's own, not one of ours.
  EXPECT_EQ(AnswerOf({Make("rejected", R"({"code":"sql_error"})")}, 202).code, "wrong_shape");
  EXPECT_EQ(AnswerOf({Make("rejected", "not json")}, 202).code, "no_usable_reading");
}

TEST(CountAnomalies, SumsByTypeAndSurvivesJunk) {
  EXPECT_EQ(CountAnomalies(R"([{"type":"z_score","count":2},{"type":"z_score"},{"x":1},7])"),
            (std::map<std::string, double>{{"z_score", 3}}));
  EXPECT_TRUE(CountAnomalies("").empty());
  EXPECT_TRUE(CountAnomalies("{").empty());
}

TEST(ChangedRestartKeys, NamesThem) {
  config::Config a, b;
  EXPECT_EQ(ChangedRestartKeys(a, b), "");
  b.http.listen.port = 1;
  b.postgres.writers = 7;
  b.log.level = "debug";
  EXPECT_EQ(ChangedRestartKeys(a, b), "http.listen, postgres.writers");
}

TEST(FileWatch, SeesWritesAndRenames) {
  const std::string dir = OwnPath("watched");
  ASSERT_EQ(std::system(("rm -rf " + dir + " && mkdir " + dir).c_str()), 0);
  FileWatch watch({dir, ""});
  EXPECT_FALSE(watch.Changed());
  std::ofstream(dir + "/a") << "1";
  EXPECT_TRUE(watch.Changed());
  EXPECT_FALSE(watch.Changed());
  std::ofstream(dir + "/b") << "1";
  EXPECT_TRUE(watch.Changed());
  ASSERT_EQ(rename((dir + "/b").c_str(), (dir + "/a").c_str()), 0);
  EXPECT_TRUE(watch.Changed());
  std::filesystem::remove_all(dir);
}

class CommandLineTest : public testing::Test {
 protected:
  ~CommandLineTest() override { std::filesystem::remove(OwnPath("auren.yaml")); }
  int Run(const std::vector<std::string>& args, const Environment& environment = {}) {
    out_.str("");
    err_.str("");
    return RunCommandLine(args, environment, out_, err_);
  }
  std::string File(const std::string& text) {
    const std::string path = OwnPath("auren.yaml");
    std::ofstream(path) << text;
    return path;
  }
  std::ostringstream out_, err_;
};

TEST_F(CommandLineTest, VersionAndHelp) {
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_NE(out_.str().find("auren-worker " AUREN_VERSION), std::string::npos);
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_NE(out_.str().find("keys"), std::string::npos);
}

TEST_F(CommandLineTest, WrongUsageIs64) {
  EXPECT_EQ(Run({"--no-such-flag"}), 64);
  EXPECT_EQ(Run({"no-such-command"}), 64);
  EXPECT_EQ(Run({"serve", "--port"}), 64);
  EXPECT_EQ(Run({"keys"}), 64);
  EXPECT_EQ(Run({"keys", "create"}), 64);
}

TEST_F(CommandLineTest, ABadConfigurationIs78) {
  EXPECT_EQ(Run({"--check-config", "--config", File("http: {lissten: x}\n")}), 78);
  EXPECT_NE(err_.str().find("auren.yaml:1:"), std::string::npos);
  EXPECT_EQ(Run({"serve", "--config", "/no/such/file"}), 78);
  EXPECT_EQ(Run({"keys", "list", "--config", File("nothing: 1\n")}), 78);
}

TEST_F(CommandLineTest, AServiceThatIsAwayIs69) {
  EXPECT_EQ(Run({"keys", "list", "--config", File("{}\n")},
                {{"POSTGRES_URL", "postgresql://127.0.0.1:1/none"},
                 {"AUREN_DEVICES_DIR", AUREN_ROOT "/config/devices"},
                 {"BIOMETRIC_CONFIG", AUREN_ROOT "/config/biometric_thresholds.yaml"}}),
            69)
      << err_.str();
}

}  // namespace
}  // namespace auren::app
