#include "app/simulate_cli.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <ctime>
#include <optional>
#include <ostream>

#include "app/load_config.h"
#include "app/simulate.h"

namespace auren::app {
namespace {

// metric=value; nullopt: `error` says what is allowed.
std::optional<std::pair<std::string, double>> ParseSetting(const std::string& text,
                                                           std::string* error) {
  const std::size_t equals = text.find('=');
  const std::string metric = text.substr(0, equals);
  if (equals == std::string::npos || !SettableMetrics().contains(metric)) {
    *error = "--set: expected metric=value with one of";
    for (const auto& [name, unused] : SettableMetrics()) *error += " " + name;
    *error += ", got '" + text + "'";
    return std::nullopt;
  }
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data() + equals + 1, end, value);
  if (failed != std::errc() || stop != end) {
    *error = "--set: expected a number after '" + metric + "=', got '" + text + "'";
    return std::nullopt;
  }
  return std::pair{metric, value};
}

}  // namespace

int RunSimulate(const std::vector<std::string>& args, const Environment& environment,
                std::ostream& out, std::ostream& err) {
  CLI::App app("Several people's days, in the shapes their devices send.", "auren-worker simulate");
  SimulateOptions options;
  options.now_unix = std::time(nullptr);
  double rate = 0;
  std::string to = "stdout";
  std::vector<std::string> settings;
  app.add_option("--seed", options.seed, "the same seed gives the same days");
  app.add_option("--people", options.people, "how many")->check(CLI::Range(1, 10000));
  app.add_option("--days", options.days, "how many, today included")->check(CLI::Range(1, 400));
  app.add_option("--rate", rate, "requests a second; 0: as fast as answers come")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--user", options.user, "only this person, with the values of --set, now");
  app.add_option("--set", settings, "metric=value, several with commas")->delimiter(',');
  app.add_option("--to", to, "stdout, http://HOST:PORT or kafka");
  config::Source source;
  source.environment = environment;
  app.add_option("--config", source.file, "configuration file, for --to kafka");
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));  // CLI11 takes them reversed
  } catch (const CLI::ParseError& e) {
    return app.exit(e, out, err) == 0 ? kExitDone : kExitUsage;
  }
  for (const std::string& setting : settings) {
    std::string error;
    auto parsed = ParseSetting(setting, &error);
    if (!parsed) {
      err << error << "\n";
      return kExitUsage;
    }
    options.set.push_back(std::move(*parsed));
  }
  if (options.user.empty() != options.set.empty()) {
    err << "--user and --set belong together\n";
    return kExitUsage;
  }
  if (to != "stdout" && to != "kafka" && !to.starts_with("http://")) {
    err << "--to: expected stdout, http://HOST:PORT or kafka, got '" << to << "'\n";
    return kExitUsage;
  }

  const std::vector<Post> posts = Simulate(options, Credentials::From(environment));
  if (to == "kafka") {
    const config::Loaded loaded = LoadForKafka(source, err);
    return loaded.config ? PublishPosts(posts, *loaded.config, rate) : kExitConfig;
  }
  if (to != "stdout") return SendPosts(posts, to, rate);
  for (const Post& post : posts) out << ToLine(post) << "\n";
  return kExitDone;
}

}  // namespace auren::app
