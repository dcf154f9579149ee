#include "app/devices_cli.h"

#include <chrono>
#include <ostream>

#include "config/config.h"
#include "devices/scalar.h"
#include "devices/timestamp.h"
#include "devices/yaml.h"
#include "ingest/json_text.h"

namespace auren::app {
namespace {

struct Options {
  std::string command, provider, file;
  std::map<std::string, std::string> headers, query;
  std::string secret, method = "POST", path_token, user, config;
  std::int64_t now = 0;
};

// Splits "K: V" or "k=v" at the first `at`.
bool SplitPair(const std::string& text, char at, bool lower,
               std::map<std::string, std::string>* pairs) {
  const std::size_t cut = text.find(at);
  if (cut == std::string::npos || cut == 0) return false;
  const std::string name = text.substr(0, cut);
  const std::size_t from = text.find_first_not_of(' ', cut + 1);
  pairs->emplace(lower ? devices::Lower(name) : name,
                 from == std::string::npos ? "" : text.substr(from));
  return true;
}

bool TakeOption(const std::string& name, const std::string& value, Options* options,
                std::string* error) {
  const std::map<std::string, std::string*> texts = {
      {"--secret", &options->secret},         {"--method", &options->method},
      {"--path-token", &options->path_token}, {"--user", &options->user},
      {"--config", &options->config},
  };
  if (const auto text = texts.find(name); text != texts.end()) {
    *text->second = value;
  } else if (name == "-H" || name == "--header") {
    if (!SplitPair(value, ':', true, &options->headers)) *error = "expected -H 'Name: value'";
  } else if (name == "--query") {
    if (!SplitPair(value, '=', false, &options->query)) *error = "expected --query name=value";
  } else if (name == "--now") {
    const auto now = devices::ParseWhole(value, 0, 253'402'300'799);
    if (now) options->now = *now;
    if (!now) *error = "expected --now with seconds since 1970, got '" + value + "'";
  } else if (name == "--public-key" || name == "--key-id") {
    *error = name + ": signatures with a key pair are not built yet";
  } else {
    *error = "unknown option '" + name + "'";
  }
  return error->empty();
}

bool Parse(const std::vector<std::string>& args, Options* options, std::string* error) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string name = args[i], value;
    if (name.size() < 2 || name[0] != '-') {
      words.push_back(name);
      continue;
    }
    const std::size_t equals = name.find('=');
    if (name.starts_with("--") && equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (++i < args.size()) {
      value = args[i];
    } else {
      *error = "option '" + name + "' needs a value";
      return false;
    }
    if (!TakeOption(name, value, options, error)) return false;
  }
  const bool other = !words.empty() &&
                     (words[0] == "subscribe" || words[0] == "list" || words[0] == "unsubscribe");
  if (other) {
    *error = "'devices " + words[0] + "' is not built yet";
  } else if (words.size() != 3 || (words[0] != "verify" && words[0] != "test")) {
    *error = "expected devices verify PROVIDER BODYFILE, or devices test PROVIDER FILE";
  } else {
    options->command = words[0];
    options->provider = words[1];
    options->file = words[2];
  }
  return error->empty();
}

int Verify(const devices::Device& device, const devices::Request& request,
           const devices::Secrets& secrets, std::ostream& out, std::ostream& err) {
  const devices::Verdict verdict = device.Verify(request, secrets);
  switch (verdict.kind) {
    case devices::Verdict::Kind::kAccept:
      out << "accept\n";
      return kExitDone;
    case devices::Verdict::Kind::kHandshake:
      out << "accept:handshake\n";
      err << verdict.status << " " << verdict.body << "\n";
      return kExitDone;
    case devices::Verdict::Kind::kReject:
      break;
  }
  out << "reject:" << devices::Name(verdict.problem) << "\n";
  err << verdict.detail << "\n";
  return kExitNo;
}

// A time as the expected files have it: UTC with milliseconds; what is none, as it was sent.
std::string Utc(const std::string& text) {
  const auto time = devices::ParseTimestamp(text);
  return time ? devices::ToUtcMillis(*time) : text;
}

std::string TextOrNull(const std::string& text) {
  if (text.empty()) return "null";
  std::string json;
  ingest::AppendJsonString(text, &json);
  return json;
}

std::string ToLine(const ingest::Reading& reading) {
  std::string flags;
  for (const std::string& flag : reading.flags) {
    if (!flags.empty()) flags += ", ";
    flags += TextOrNull(flag);
  }
  return R"({"metric": )" + TextOrNull(reading.metric) + R"(, "value": )" + reading.value +
         R"(, "ucum": )" + TextOrNull(reading.unit) + R"(, "start": )" +
         TextOrNull(Utc(reading.start)) + R"(, "end": )" + TextOrNull(Utc(reading.end)) +
         R"(, "statistic": )" + TextOrNull(reading.statistic) + R"(, "context": )" +
         TextOrNull(reading.context) + R"(, "source": )" + TextOrNull(reading.source) +
         R"(, "external_id": )" + TextOrNull(reading.external_id) + R"(, "flags": [)" + flags +
         "]}";
}

int Test(const devices::Device& device, const devices::Request& request, const Options& options,
         std::ostream& out, std::ostream& err) {
  devices::Verdict verdict;
  verdict.bound_user = options.user;
  devices::Mapped mapped = device.Map(request, verdict);
  if (mapped.problem == devices::Problem::kUserUnresolved && options.user.empty()) {
    verdict.bound_user = "somebody";
    mapped = device.Map(request, verdict);
    err << "the body names no user: taken as 'somebody', see --user\n";
  }
  if (mapped.problem != devices::Problem::kNone) {
    err << devices::Name(mapped.problem) << ": " << mapped.detail << "\n";
    return kExitNo;
  }
  std::string separator = "\n";
  out << "[";
  for (const ingest::Delivery& delivery : mapped.deliveries) {
    for (const ingest::Reading& reading : delivery.readings) {
      if (!reading.mapped) {
        err << "unknown metric '" << reading.metric << "': kept in the event, no reading\n";
        continue;
      }
      out << separator << ToLine(reading);
      separator = ",\n";
    }
  }
  out << "\n]\n";
  if (mapped.ignored) err << "a known type that is not used: answered 200, no event\n";
  return kExitDone;
}

}  // namespace

int RunDevices(const std::vector<std::string>& args, const Environment& environment,
               std::ostream& out, std::ostream& err) {
  Options options;
  options.now = std::chrono::duration_cast<std::chrono::seconds>(
                    std::chrono::system_clock::now().time_since_epoch())
                    .count();
  std::string error;
  if (!Parse(args, &options, &error)) {
    err << "devices: " << error << "\n";
    return kExitUsage;
  }
  config::Source source;
  source.file = options.config;
  source.environment = environment;
  const config::Loaded loaded = config::Load(source);
  for (const std::string& line : loaded.errors) err << line << "\n";
  if (loaded.config == nullptr) return kExitConfig;
  const devices::Device* device = loaded.config->catalog->Find(options.provider);
  if (device == nullptr) {
    err << "devices: unknown provider '" << options.provider << "', expected "
        << devices::OneOf(loaded.config->catalog->providers()) << "\n";
    return kExitUsage;
  }
  std::string body;
  if (!yaml::ReadFile(options.file, &body, &error)) {
    err << "devices: " << error << "\n";
    return kExitUsage;
  }
  devices::Request request;
  request.method = options.method;
  request.path_token = options.path_token;
  request.headers = &options.headers;
  request.query = &options.query;
  request.body = body;
  request.now_unix = options.now;
  if (options.command == "test") return Test(*device, request, options, out, err);
  devices::Secrets secrets = loaded.config->devices.at(options.provider);
  if (!options.secret.empty() && !device->secret_names().empty()) {
    secrets.values[device->secret_names().front()] = {options.secret};
  }
  return Verify(*device, request, secrets, out, err);
}

}  // namespace auren::app
