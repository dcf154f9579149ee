#include "app/command_line.h"

#include <libpq-fe.h>
#include <openssl/crypto.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <ostream>

#include "app/load_config.h"
#include "app/serve.h"

namespace auren::app {
namespace {

std::string CommandHelp() {
  std::string help = "Commands (each with --help):";
  for (const Command& command : Commands()) {
    help += "\n  " + std::string(command.name) + " " + command.usage;
  }
  return help;
}

void PrintVersion(std::ostream& out) {
  out << "auren-worker " << AUREN_VERSION << "\n"
      << "libpq " << PQlibVersion() / 10000 << "." << PQlibVersion() % 10000 << ", "
      << OpenSSL_version(OPENSSL_VERSION) << ", librdkafka " << rd_kafka_version_str() << "\n";
}

void PrintConfig(const config::Loaded& loaded, std::ostream& out) {
  for (const auto& shown : loaded.shown) {
    out << shown.key << ": " << shown.value << "  # " << shown.origin << "\n";
  }
}

int RunServe(const std::vector<std::string>& args, const Environment& environment,
             std::ostream& out, std::ostream& err) {
  CLI::App app("Takes wearable data in over HTTP and brings it into PostgreSQL.", "auren-worker");
  app.footer(CommandHelp());
  config::Source source;
  source.environment = environment;
  bool check = false, print = false, version = false;
  app.add_option("--config", source.file, "configuration file (default: config/auren.yaml)");
  app.add_flag("--check-config", check, "check the configuration, then end: 0 good, 78 not");
  app.add_flag("--print-config", print, "print every value and where it comes from, then end");
  app.add_flag("--version", version, "print the version, then end");
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));  // CLI11 takes them reversed
  } catch (const CLI::ParseError& e) {
    return app.exit(e, out, err) == 0 ? kExitDone : kExitUsage;
  }
  if (version) {
    PrintVersion(out);
    return kExitDone;
  }

  const config::Loaded loaded = LoadConfig(source);
  if (!loaded.config || check || print) {
    for (const std::string& warning : loaded.warnings) err << "warning: " << warning << "\n";
  }
  if (!loaded.config) {
    for (const std::string& error : loaded.errors) err << error << "\n";
    return kExitConfig;
  }
  if (print) PrintConfig(loaded, out);
  if (check && !print) out << "the configuration is good\n";
  if (check || print) return kExitDone;
  return Serve(source, loaded);
}

}  // namespace

int RunCommandLine(const std::vector<std::string>& args, const Environment& environment,
                   std::ostream& out, std::ostream& err) {
  try {
    if (!args.empty()) {
      const std::vector<std::string> rest(args.begin() + 1, args.end());
      if (args[0] == "serve") return RunServe(rest, environment, out, err);
      for (const Command& command : Commands()) {
        if (args[0] == command.name) return command.run(rest, environment, out, err);
      }
    }
    return RunServe(args, environment, out, err);
  } catch (const std::exception& e) {
    err << "auren-worker: " << e.what() << "\n";
    return kExitInternal;
  }
}

}  // namespace auren::app
