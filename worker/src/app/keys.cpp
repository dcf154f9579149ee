#include "app/keys.h"

#include <openssl/rand.h>

#include <CLI/CLI.hpp>
#include <array>
#include <ostream>
#include <stdexcept>

#include "app/api_keys.h"
#include "config/config.h"
#include "devices/crypto.h"
#include "postgres/connection.h"
#include "postgres/sqlstate.h"

namespace auren::app {
namespace {

using postgres::Param;
using postgres::Result;

// 256 random bits; the prefix lets a scanner for leaked secrets recognise it.
std::string MakeKey() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("no random bytes for a key");
  }
  return "auren_" + devices::EncodeHex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

int Fail(const postgres::Error& error, std::ostream& err) {
  err << "auren-worker keys: " << error.message << " (SQLSTATE " << error.sqlstate << ")\n";
  return postgres::Classify(error.sqlstate) == postgres::Action::kPoison ? kExitNo
                                                                         : kExitUnavailable;
}

int Create(postgres::Connection& database, const std::string& name, const std::string& user,
           std::ostream& out, std::ostream& err) {
  const std::string key = MakeKey();
  const Result result = database.Execute("SELECT bridge.create_api_key($1, $2, $3)",
                                         {Param::Text(name), Param::Bytes(Sha256(key)),
                                          user.empty() ? Param::Null() : Param::Text(user)});
  if (!result.ok() && result.error().sqlstate == "23505") {
    err << "auren-worker keys: a key named '" << name << "' is admitted already\n";
    return kExitNo;
  }
  if (!result.ok()) return Fail(result.error(), err);
  out << key << "\n";
  err << "this key is not stored and will not be shown again\n";
  return kExitDone;
}

int List(postgres::Connection& database, std::ostream& out, std::ostream& err) {
  const Result result =
      database.Execute("SELECT name, user_id, created_at, revoked_at FROM bridge.list_api_keys()");
  if (!result.ok()) return Fail(result.error(), err);
  out << "name\tuser\tcreated\trevoked\n";
  for (int row = 0; row < result.rows(); ++row) {
    out << result.Get(row, 0) << "\t" << result.Get(row, 1) << "\t" << result.Get(row, 2) << "\t"
        << result.Get(row, 3) << "\n";
  }
  return kExitDone;
}

int Revoke(postgres::Connection& database, const std::string& name, std::ostream& err) {
  const Result result = database.Execute("SELECT bridge.revoke_api_key($1)", {Param::Text(name)});
  if (!result.ok()) return Fail(result.error(), err);
  if (result.Get(0, 0) == "t") return kExitDone;
  err << "auren-worker keys: no key named '" << name << "' is admitted\n";
  return kExitNo;
}

}  // namespace

int RunKeys(const std::vector<std::string>& args, const Environment& environment, std::ostream& out,
            std::ostream& err) {
  CLI::App app("API keys", "auren-worker keys");
  app.require_subcommand(1);
  std::string name, user;
  config::Source source;
  source.environment = environment;
  CLI::App* create = app.add_subcommand("create", "make a key and print it, once");
  create->add_option("name", name, "its name, for logs and for revoking")->required();
  create->add_option("--user", user, "the only person it may act for");
  CLI::App* list = app.add_subcommand("list", "print all keys, also the revoked");
  CLI::App* revoke = app.add_subcommand("revoke", "shut a key out for good");
  revoke->add_option("name", name, "the key's name")->required();
  for (CLI::App* command : {create, list, revoke}) {
    command->add_option("--config", source.file, "configuration file");
  }
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));  // CLI11 takes them reversed
  } catch (const CLI::ParseError& e) {
    return app.exit(e, out, err) == 0 ? kExitDone : kExitUsage;
  }

  const config::Loaded loaded = config::Load(source);
  if (!loaded.config) {
    for (const std::string& error : loaded.errors) err << error << "\n";
    return kExitConfig;
  }
  postgres::Connection database(loaded.config->postgres.url, "keys");
  if (create->parsed()) return Create(database, name, user, out, err);
  if (list->parsed()) return List(database, out, err);
  return Revoke(database, name, err);
}

}  // namespace auren::app
