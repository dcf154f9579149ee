// The configuration: every complaint has its place, the strongest origin wins, secrets stay secret.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "config/config.h"
#include "config/keys.h"
#include "config/values.h"

namespace auren::config {
namespace {

namespace fs = std::filesystem;

class Configuration : public ::testing::Test {
 protected:
  Configuration() {
    before_ = fs::current_path();
    dir_ = fs::temp_directory_path() /
           (std::string("auren_config_") +
            ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    fs::current_path(AUREN_ROOT);
  }
  ~Configuration() override {
    fs::current_path(before_);
    fs::remove_all(dir_);
  }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = (dir_ / name).string();
    std::ofstream(path) << text;
    return path;
  }
  Loaded LoadText(const std::string& text) {
    source_.file = Write("auren.yaml", text);
    return Load(source_);
  }
  static std::string Shown(const Loaded& loaded, const std::string& key) {
    for (const auto& shown : loaded.shown) {
      if (shown.key == key) return shown.value + " (" + shown.origin + ")";
    }
    return "nothing";
  }

  Source source_;
  fs::path dir_, before_;
};

std::string All(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST_F(Configuration, TheShippedFileSaysTheDefaults) {
  const Loaded loaded = Load(source_);
  ASSERT_NE(loaded.config, nullptr) << All(loaded.errors);
  EXPECT_TRUE(loaded.warnings.empty()) << All(loaded.warnings);
  for (const Key& key : Keys()) {
    EXPECT_TRUE(
        Shown(loaded, key.path).starts_with(std::string(key.fallback) + " (config/auren.yaml:"))
        << key.path << " is " << Shown(loaded, key.path);
  }
  EXPECT_EQ(loaded.config->catalog->providers(),
            (std::vector<std::string>{"health_auto_export", "healthkit", "oura"}));
}

TEST_F(Configuration, TheDefaultsAreTheStructs) {
  const Loaded loaded = LoadText("");
  ASSERT_NE(loaded.config, nullptr) << All(loaded.errors);
  const Config& got = *loaded.config;
  const Config want;
  EXPECT_EQ(got.roles, want.roles);
  EXPECT_EQ(got.http.listen.host, want.http.listen.host);
  EXPECT_EQ(got.http.listen.port, want.http.listen.port);
  EXPECT_EQ(got.http.threads, want.http.threads);
  EXPECT_EQ(got.http.tls.min_version, want.http.tls.min_version);
  EXPECT_EQ(got.http.deadline_seconds, want.http.deadline_seconds);
  EXPECT_EQ(got.http.drain_seconds, want.http.drain_seconds);
  EXPECT_EQ(got.ops.listen.port, want.ops.listen.port);
  EXPECT_EQ(got.postgres.url, want.postgres.url);
  EXPECT_EQ(got.postgres.writers, want.postgres.writers);
  EXPECT_EQ(got.ingest.mode, want.ingest.mode);
  EXPECT_EQ(got.ingest.max_concurrent_events, want.ingest.max_concurrent_events);
  EXPECT_EQ(got.ingest.max_queue_bytes, want.ingest.max_queue_bytes);
  EXPECT_EQ(got.ingest.max_batch_deliveries, want.ingest.max_batch_deliveries);
  EXPECT_EQ(got.ingest.max_batch_bytes, want.ingest.max_batch_bytes);
  EXPECT_EQ(got.limits.api_per_key.count, want.limits.api_per_key.count);
  EXPECT_EQ(got.limits.webhook_per_key.count, want.limits.webhook_per_key.count);
  EXPECT_EQ(got.limits.failed_auth_per_address.count, want.limits.failed_auth_per_address.count);
  EXPECT_EQ(got.analytics.refresh_interval_seconds, want.analytics.refresh_interval_seconds);
  EXPECT_EQ(got.log.level, want.log.level);
}

TEST_F(Configuration, MistakesAreNamedWithTheirPlace) {
  const struct {
    const char *text, *says;
  } cases[] = {
      {"http:\n  lissten: \"127.0.0.1:0\"\n",
       ":2:3: http.lissten: unknown key, did you mean 'http.listen'?"},
      {"http:\n  threads: many\n",
       ":2:12: http.threads: expected a whole number from 1 to 4096, got 'many'"},
      {"http: {threads: 0}\n", ":1:17: http.threads: expected a whole number"},
      {"http: {threads: 1.5}\n", ":1:17: http.threads"},
      {"http: {threads: [1]}\n", ":1:17: http.threads: expected one value, got a list"},
      {"http: {threads: }\n", "http.threads: expected one value, got nothing"},
      {"http: {threads: {a: 1}}\n", ":1:18: http.threads.a: unknown key"},
      {"http: 8000\n", ":1:7: http: expected a mapping of keys, got '8000'"},
      {"http: {listen: 8000}\n", ":1:16: http.listen: expected an address"},
      {"http: {listen: \"127.0.0.1:70000\"}\n", "http.listen"},
      {"http: {deadline: 5}\n", ":1:18: http.deadline: expected a duration"},
      {"http: {deadline: 0s}\n", "http.deadline"},
      {"http: {trusted_proxies: [10.0.0.0/33]}\n",
       "http.trusted_proxies: expected a list of networks"},
      {"http: {tls: {cert_file: a.pem}}\n", "http.tls: expected both cert_file and key_file"},
      {"http: {tls: {min_version: 1.1}}\n", "http.tls.min_version: expected 1.2 or 1.3, got '1.1'"},
      {"ingest:\n  mode: sideways\n",
       ":2:9: ingest.mode: expected direct or kafka, got 'sideways'"},
      {"ingest:\n  mode: kafka\n", "ingest.mode: kafka needs kafka.bootstrap_servers"},
      {"ingest: {max_queue_bytes: 64MB}\n", "ingest.max_queue_bytes: expected a size"},
      {"kafka: {topic: \"a/b\"}\n", ":1:16: kafka.topic: expected a topic name"},
      {"kafka: {consumers: 0}\n", "kafka.consumers: expected a whole number from 1 to 64"},
      {"kafka: {format: avro}\n", "kafka.format: expected json or protobuf, got 'avro'"},
      {"kafka: {properties: [acks]}\n", "kafka.properties: expected a mapping"},
      {"outbox: {enabled: true}\n", "outbox.enabled: true needs kafka.bootstrap_servers"},
      {"outbox: {categories: [User]}\n", "outbox.categories: expected a list of categories"},
      {"outbox: {enabled: yes}\n", ":1:19: outbox.enabled: expected true or false, got 'yes'"},
      {"spool: {enabled: true}\n", "spool.enabled: 'true' is not built yet"},
      {"roles: [http, cook]\n", "roles: expected a list of http, ingest, outbox and fetch"},
      {"roles: []\n", "roles: expected a list"},
      {"limits: {api_per_key: 100}\n", "limits.api_per_key: expected a rate"},
      {"limits: {api_per_key: 100/0s}\n", "limits.api_per_key"},
      {"log: {level: loud}\n", "log.level: expected trace, debug, info, warn or error, got 'loud'"},
      {"log:\n  level: info\n  level: debug\n", ":3:3: level: this key is already set on line 2"},
      {"log: &a {level: info}\n", ":1:6: anchors are not allowed"},
      {"log: {level: info}\nhttp: {<<: {threads: 1}}\n", ":2:8: <<: merge keys are not allowed"},
      {"devices: {ouraa: {client_secret: x}}\n", "no device file ouraa.yaml is in devices_dir"},
      {"devices: {oura: {clientsecret: x}}\n",
       ":1:18: devices.oura.clientsecret: unknown key, did you mean 'devices.oura.client_secret'?"},
      {"devices: {oura: {tolerance: 5}}\n", "devices.oura.tolerance: expected a duration"},
      {"devices: {oura: {token_url: \"http://x\"}}\n",
       "devices.oura.token_url: fetching is not built yet"},
      {"devices_dir: /nowhere/at/all\n", "/nowhere/at/all: cannot be read"},
      {"thresholds_file: /nowhere/at/all\n", "/nowhere/at/all: cannot be read"},
      {"http:\n  listen: [\n", "not YAML"},
      {"- http\n", ":1:1: expected a mapping of keys, got a list"},
      {"[log]: {level: info}\n", "a key must be a word"},
  };
  for (const auto& [text, says] : cases) {
    const Loaded loaded = LoadText(text);
    EXPECT_EQ(loaded.config, nullptr) << text;
    EXPECT_NE(All(loaded.errors).find(says), std::string::npos)
        << "wanted: " << says << "\ngot: " << All(loaded.errors);
  }
}

TEST_F(Configuration, AllMistakesAreToldAtOnce) {
  const Loaded loaded = LoadText("http: {threads: x}\nops: {listen: y}\nlog: {level: z}\n");
  EXPECT_EQ(loaded.errors.size(), 3u) << All(loaded.errors);
}

TEST_F(Configuration, EmptySectionsAreEmpty) {
  EXPECT_NE(LoadText("http:\ndevices:\nlog: {}\n").config, nullptr);
}

TEST_F(Configuration, AMissingFileIsAnError) {
  source_.file = (dir_ / "none.yaml").string();
  const Loaded loaded = Load(source_);
  EXPECT_EQ(loaded.config, nullptr);
  EXPECT_NE(All(loaded.errors).find("none.yaml: cannot be read"), std::string::npos);
}

TEST_F(Configuration, TheStrongestOriginWins) {
  const std::string text = "http: {threads: 2}\ningest: {max_concurrent_events: 2}\n";
  EXPECT_EQ(LoadText(text).config->http.threads, 2);
  source_.environment["AUREN_HTTP__THREADS"] = "3";
  EXPECT_EQ(LoadText(text).config->http.threads, 3);
  source_.overrides["http.threads"] = "4";
  const Loaded loaded = LoadText(text);
  EXPECT_EQ(loaded.config->http.threads, 4);
  EXPECT_EQ(Shown(loaded, "http.threads"), "4 (command line)");

  source_.environment["MAX_CONCURRENT_EVENTS"] = "5";
  EXPECT_EQ(LoadText(text).config->ingest.max_concurrent_events, 5);
  source_.environment["AUREN_INGEST__MAX_CONCURRENT_EVENTS"] = "6";
  EXPECT_EQ(LoadText(text).config->ingest.max_concurrent_events, 6) << "the full name is stronger";
}

TEST_F(Configuration, ShortNamesAndFilesOfTheEnvironment) {
  source_.environment["POSTGRES_URL_FILE"] = Write("url", "postgresql://u:hidden@db/auren\n");
  source_.environment["BIOMETRIC_CONFIG"] = Write("t.yaml", "thresholds: {hrv_drop_ms: 30}\n");
  source_.environment["AUREN_HTTP__TLS__CERT_FILE"] = "cert.pem";  // the key's own name
  source_.environment["AUREN_HTTP__TLS__KEY_FILE"] = "key.pem";
  source_.environment["AUREN_ROLES"] = "http, ingest";
  const Loaded loaded = LoadText("");
  ASSERT_NE(loaded.config, nullptr) << All(loaded.errors);
  EXPECT_EQ(loaded.config->postgres.url, "postgresql://u:hidden@db/auren");
  EXPECT_EQ(Shown(loaded, "postgres.url"),
            "postgresql://u:***@db/auren (environment POSTGRES_URL_FILE)");
  EXPECT_EQ(loaded.config->http.tls.cert_file, "cert.pem");
  EXPECT_EQ(loaded.config->roles, (std::vector<std::string>{"http", "ingest"}));
  EXPECT_EQ(loaded.config->thresholds_json, R"({"thresholds":{"hrv_drop_ms":30}})");

  source_.environment["POSTGRES_URL"] = "postgresql:///other";
  EXPECT_NE(All(LoadText("").errors).find("POSTGRES_URL: set together with POSTGRES_URL_FILE"),
            std::string::npos);
}

TEST_F(Configuration, MistakesOfTheEnvironmentNameTheVariable) {
  source_.environment["MAX_CONCURRENT_EVENTS"] = "lots";
  source_.environment["AUREN_HTTP__LISSTEN"] = "x";
  source_.environment["AUREN_SERVICE_PORT_HTTP"] = "8000";  // another program's
  source_.environment["AUREN_ROLE"] = "http";
  source_.environment["REDIS_URL"] = "redis://x";
  source_.environment["OURA_ACCESS_TOKEN"] = "old";
  source_.overrides["http.lisen"] = "x";
  const Loaded loaded = LoadText("");
  EXPECT_EQ(
      loaded.errors,
      (std::vector<std::string>{
          "environment MAX_CONCURRENT_EVENTS: ingest.max_concurrent_events: expected a whole "
          "number from 1 to 1000000, got 'lots'",
          "command line: http.lisen: unknown key, did you mean 'http.listen'?",
          "environment AUREN_HTTP__LISSTEN: unknown key, did you mean 'AUREN_HTTP__LISTEN'?"}));
  ASSERT_EQ(loaded.warnings.size(), 3u) << All(loaded.warnings);
  EXPECT_NE(loaded.warnings[0].find("REDIS_URL"), std::string::npos);
  EXPECT_NE(loaded.warnings[1].find("OURA_CLIENT_SECRET"), std::string::npos);
  EXPECT_NE(loaded.warnings[2].find("AUREN_ROLES"), std::string::npos);
}

TEST_F(Configuration, SecretsAreReadAndNeverShown) {
  source_.environment["OURA_CLIENT_SECRET"] = "hush-new,hush-old";
  source_.environment["HEALTHKIT_API_KEYS_FILE"] = Write("keys", "hush-key,hush-two:ann\n");
  source_.environment["AUREN_LOG__USER_HASH_KEY"] = "hush-hash";
  const Loaded loaded = LoadText(
      "devices:\n  oura: {client_secret: hush-file, verification_token: [hush-a, hush-b], "
      "tolerance: 10m}\n");
  ASSERT_NE(loaded.config, nullptr) << All(loaded.errors);
  using Values = std::vector<std::string>;
  auto& devices = loaded.config->devices;
  EXPECT_EQ(devices.at("oura").values.at("client_secret"), (Values{"hush-new", "hush-old"}));
  EXPECT_EQ(devices.at("oura").values.at("verification_token"), (Values{"hush-a", "hush-b"}));
  EXPECT_EQ(devices.at("oura").tolerance_seconds, 600);
  EXPECT_EQ(devices.at("healthkit").values.at("api_keys"), (Values{"hush-key", "hush-two:ann"}));
  EXPECT_EQ(devices.at("health_auto_export").values.at("api_keys"),
            (Values{"hush-key", "hush-two:ann"}))
      << "HealthKit's keys stand in";
  for (const auto& shown : loaded.shown) {
    EXPECT_EQ(shown.value.find("hush"), std::string::npos) << shown.key;
  }
  EXPECT_EQ(Shown(loaded, "devices.oura.client_secret"), "*** (environment OURA_CLIENT_SECRET)");
  EXPECT_EQ(Shown(loaded, "log.user_hash_key"), "*** (environment AUREN_LOG__USER_HASH_KEY)");

  source_.environment["HEALTH_AUTO_EXPORT_API_KEYS"] = "hush-own";
  EXPECT_EQ(LoadText("").config->devices.at("health_auto_export").values.at("api_keys"),
            (Values{"hush-own"}));
}

TEST_F(Configuration, PasswordsInsideAnAddressAreMasked) {
  EXPECT_EQ(Masked("postgresql://u:p@ss@h:5/db"), "postgresql://u:***@h:5/db");
  EXPECT_EQ(Masked("postgresql://h/db?user=u&password=pw&x=1"),
            "postgresql://h/db?user=u&password=***&x=1");
  EXPECT_EQ(Masked("host=h password=pw dbname=d"), "host=h password=*** dbname=d");
  EXPECT_EQ(Masked("host=h password='p w' dbname=d"), "host=h password=*** dbname=d");
  EXPECT_EQ(Masked("host=h password='open"), "host=h password=***");
  EXPECT_EQ(Masked("postgresql://h:5432/db"), "postgresql://h:5432/db");
}

TEST_F(Configuration, ThresholdsBecomeTheJsonOfConfigure) {
  source_.environment["BIOMETRIC_CONFIG"] =
      Write("t.yaml",
            "thresholds: {anomaly_z: 2.5}\nbaselines: {hrv_default: 55}\n"
            "modes:\n  - {name: focus, priority: 120, behavior: Say little.}\n");
  const Loaded loaded = LoadText("");
  ASSERT_NE(loaded.config, nullptr) << All(loaded.errors);
  EXPECT_EQ(loaded.config->thresholds_json,
            R"({"thresholds":{"anomaly_z":2.5},"baselines":{"hrv_default":55},)"
            R"("modes":[{"name":"focus","priority":120,"behavior":"Say little."}]})");
  EXPECT_EQ(loaded.config->thresholds_sha256.size(), 64u);
}

TEST_F(Configuration, MistakesInThresholdsAreNamedWithTheirPlace) {
  const struct {
    const char *text, *says;
  } cases[] = {
      {"thresholds:\n  hrv_drop_ms: 500\n", "t.yaml:2:16: thresholds.hrv_drop_ms: "},
      {"thresholds:\n  hrv_drop_m: 25\n", "t.yaml:2:15: thresholds.hrv_drop_m: "},
      {"thresholds:\n  hrv_drop_m: 25\n", "hrv_drop_ms"},
      {"thresholds: {anomaly_z: three}\n",
       "t.yaml:1:25: thresholds.anomaly_z: expected a number, got 'three'"},
      {"thresholds: {anomaly_z: .nan}\n", "thresholds.anomaly_z: expected a number"},
      {"thresholds: 5\n", "t.yaml:1:13: thresholds: expected a mapping of keys, got '5'"},
      {"baselines: {min_baseline_days: 1.5}\n", "t.yaml:1:32: baselines.min_baseline_days: "},
      {"treshholds: {}\n", "t.yaml:1:1: treshholds: unknown key, did you mean 'thresholds'?"},
      {"modes: {a: 1}\n", "modes: expected a list of modes, got a mapping"},
      {"modes: [{name: Focus, priority: 1}]\n", "t.yaml:1:9: modes[0]: "},
      {"modes: [{name: focus}]\n", "modes[0].priority: this key is missing"},
      {"modes: [{name: focus, priority: 1, mood: x}]\n", "modes[0].mood: unknown key"},
      {"modes: [{name: baseline, priority: 999}]\n", "t.yaml:1:1: "},
      {"thresholds: {anomaly_z: 3, anomaly_z: 4}\n", "anomaly_z: this key is already set"},
  };
  for (const auto& [text, says] : cases) {
    source_.environment["BIOMETRIC_CONFIG"] = Write("t.yaml", text);
    const Loaded loaded = LoadText("");
    EXPECT_EQ(loaded.config, nullptr) << text;
    EXPECT_NE(All(loaded.errors).find(says), std::string::npos)
        << "wanted: " << says << "\ngot: " << All(loaded.errors);
  }
}

TEST_F(Configuration, RulesOfThresholdsBecomeTheJsonOfConfigure) {
  source_.environment["BIOMETRIC_CONFIG"] = Write("t.yaml",
                                                  "modes:\n"
                                                  "  - name: sentinel\n"
                                                  "    priority: 150\n"
                                                  "    rules:\n"
                                                  "      - name: fever_watch\n"
                                                  "        weight: 0.25\n"
                                                  "        when:\n"
                                                  "          - {metric: heart_rate, above: 95, "
                                                  "context: [rest, sleep]}\n"
                                                  "          - {metric: step_count, at_most: 0.5, "
                                                  "statistic: sum}\n"
                                                  "          - {metric: body_temperature, "
                                                  "outside_soft_range: true}\n");
  const Loaded loaded = LoadText("");
  ASSERT_NE(loaded.config, nullptr) << All(loaded.errors);
  EXPECT_EQ(
      loaded.config->thresholds_json,
      R"({"modes":[{"name":"sentinel","priority":150,"rules":[{"name":"fever_watch",)"
      R"("weight":0.25,"when":[{"metric":"heart_rate","above":95,"context":["rest","sleep"]},)"
      R"({"metric":"step_count","at_most":0.5,"statistic":["sum"]},)"
      R"({"metric":"body_temperature","outside_soft_range":true}]}]}]})");
}

TEST_F(Configuration, MistakesInRulesAreNamedWithTheirPlace) {
  const std::string rule = "modes:\n  - name: focus\n    priority: 120\n    rules:\n";
  const std::string when = rule + "      - name: mine\n        when:\n";
  const struct {
    std::string text;
    const char* says;
  } cases[] = {
      {when + "          - {metric: heart_rate, abvoe: 95}\n",
       "t.yaml:7:34: modes[0].rules[0].when[0].abvoe: unknown key \"abvoe\". Did you mean "
       "\"above\"?"},
      {when + "          - {metric: heart_rate, above: fast}\n",
       "t.yaml:7:41: modes[0].rules[0].when[0].above: not a number"},
      {when + "          - {metric: heart_rate, z_above: 11}\n",
       "t.yaml:7:43: modes[0].rules[0].when[0].z_above: 11 is not allowed. Use a number from -10 "
       "to 10."},
      {when + "          - {metric: heart_rate, above: 95, context: [rest, bed]}\n",
       "t.yaml:7:61: modes[0].rules[0].when[0].context[1]: unknown context \"bed\". Use one of "
       "rest, sleep,"},
      {when + "          - {metric: Heart, above: 95}\n",
       "t.yaml:7:22: modes[0].rules[0].when[0].metric: bad metric \"Heart\""},
      {when + "          - {above: 95}\n", "t.yaml:7:13: modes[0].rules[0].when[0]: no metric"},
      {when + "          - heart_rate\n",
       "t.yaml:7:13: modes[0].rules[0].when[0]: expected a condition, such as"},
      {rule + "      - {when: [{metric: heart_rate, above: 95}]}\n",
       "t.yaml:5:9: modes[0].rules[0]: no name"},
      {rule + "      - {name: mine, wieght: 1}\n",
       "t.yaml:5:22: modes[0].rules[0].wieght: unknown key \"wieght\". Did you mean \"weight\"?"},
      {rule + "      - {name: mine, weight: 2, when: [{metric: heart_rate, above: 95}]}\n",
       "t.yaml:5:30: modes[0].rules[0].weight: 2 is not allowed. Use a number from 0.01 to 1."},
      {rule + "      - {name: mine, when: 3}\n", "t.yaml:5:28: modes[0].rules[0].when: not a list"},
      {rule + "      - 3\n", "t.yaml:5:9: modes[0].rules[0]: expected a rule of the keys"},
      {"modes: [{name: focus, priority: 120, rules: 3}]\n",
       "t.yaml:1:45: modes[0].rules: expected a list of rules, got '3'"},
  };
  for (const auto& [text, says] : cases) {
    source_.environment["BIOMETRIC_CONFIG"] = Write("t.yaml", text);
    const Loaded loaded = LoadText("");
    EXPECT_EQ(loaded.config, nullptr) << text;
    EXPECT_NE(All(loaded.errors).find(says), std::string::npos)
        << "wanted: " << says << "\ngot: " << All(loaded.errors);
  }
}

TEST_F(Configuration, TheShippedThresholdsAreTheBuiltInOnes) {
  const Loaded loaded = Load(source_);
  ASSERT_NE(loaded.config, nullptr);
  const auto json = nlohmann::json::parse(loaded.config->thresholds_json);
  EXPECT_EQ(json.at("thresholds").size(), 11u);
  EXPECT_EQ(json.at("baselines").size(), 3u);
  EXPECT_EQ(json.at("modes").size(), 7u);
  EXPECT_EQ(json.at("thresholds").at("hrv_drop_ms"), 25);
}

TEST(Values, AddressesRatesAndNetworks) {
  EXPECT_EQ(ParseHostPort("127.0.0.1:8000")->port, 8000);
  EXPECT_EQ(ParseHostPort("[::1]:0")->host, "::1");
  EXPECT_EQ(ParseHostPort("localhost:1")->host, "localhost");
  for (const char* bad :
       {"", "8000", ":8000", "h:", "h:x", "h:-1", "h:65536", "::1:80", "[x]:80"}) {
    EXPECT_FALSE(ParseHostPort(bad)) << bad;
  }
  EXPECT_EQ(ParseRate("100/60s")->count, 100);
  EXPECT_EQ(ParseRate("100/1m")->per_seconds, 60);
  EXPECT_EQ(ParseRate("0")->count, 0);
  for (const char* bad : {"", "100", "/60s", "100/", "0/60s", "-1/60s", "100/60"}) {
    EXPECT_FALSE(ParseRate(bad)) << bad;
  }
  for (const char* good : {"10.0.0.0/8", "::1/128", "127.0.0.1"})
    EXPECT_TRUE(IsNetwork(good)) << good;
  for (const char* bad : {"", "10.0.0.0/33", "::1/129", "host/8", "10.0.0.0/"}) {
    EXPECT_FALSE(IsNetwork(bad)) << bad;
  }
}

}  // namespace
}  // namespace auren::config
