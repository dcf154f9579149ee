#include "config/keys.h"

#include <algorithm>
#include <limits>

#include "config/values.h"
#include "devices/scalar.h"

namespace auren::config {
namespace {

using devices::ParseDuration;
using devices::ParseSize;
using devices::ParseWhole;

Outcome Allowed(bool allowed) { return allowed ? Outcome::kOk : Outcome::kNotAllowed; }

template <typename T>
Outcome Whole(std::string_view text, std::int64_t min, std::int64_t max, T* out) {
  const auto value = ParseWhole(text, min, max);
  if (value) *out = static_cast<T>(*value);
  return Allowed(value.has_value());
}

Outcome Seconds(std::string_view text, double min, double max, double* out) {
  const auto value = ParseDuration(text);
  if (!value || *value < min || *value > max) return Outcome::kNotAllowed;
  *out = *value;
  return Outcome::kOk;
}

Outcome Size(std::string_view text, std::int64_t min, std::int64_t max, std::int64_t* out) {
  const auto value = ParseSize(text);
  if (!value || *value < min || *value > max) return Outcome::kNotAllowed;
  *out = *value;
  return Outcome::kOk;
}

Outcome Word(std::string_view text, std::initializer_list<std::string_view> words,
             std::string* out) {
  if (std::find(words.begin(), words.end(), text) == words.end()) return Outcome::kNotAllowed;
  *out = text;
  return Outcome::kOk;
}

Outcome Listen(std::string_view text, HostPort* out) {
  auto value = ParseHostPort(text);
  if (value) *out = std::move(*value);
  return Allowed(value.has_value());
}

Outcome Limit(std::string_view text, Rate* out) {
  const auto value = ParseRate(text);
  if (value) *out = *value;
  return Allowed(value.has_value());
}

Outcome SetRoles(std::string_view text, Config* config) {
  config->roles = devices::SplitList(text);
  const auto known = [](const std::string& role) {
    return role == "http" || role == "ingest" || role == "outbox" || role == "fetch";
  };
  return Allowed(!config->roles.empty() &&
                 std::all_of(config->roles.begin(), config->roles.end(), known));
}

Outcome SetProxies(std::string_view text, Config* config) {
  config->http.trusted_proxies = devices::SplitList(text);
  return Allowed(std::all_of(config->http.trusted_proxies.begin(),
                             config->http.trusted_proxies.end(),
                             [](const std::string& network) { return IsNetwork(network); }));
}

Outcome SetPath(std::string_view text, std::string* out) {
  *out = text;
  return Allowed(!text.empty());
}

// The names Kafka itself allows.
Outcome Topic(std::string_view text, std::string* out) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (text.empty() || text.size() > 249 || text == "." || text == ".." ||
      !std::all_of(text.begin(), text.end(), allowed)) {
    return Outcome::kNotAllowed;
  }
  *out = text;
  return Outcome::kOk;
}

Outcome SetProperties(std::string_view text, Config* config) {
  config->kafka.properties.clear();
  for (const std::string& property : devices::SplitList(text)) {
    const std::size_t equals = property.find('=');
    if (equals == std::string::npos || equals == 0) return Outcome::kNotAllowed;
    config->kafka.properties[property.substr(0, equals)] = property.substr(equals + 1);
  }
  return Outcome::kOk;
}

// Categories as events.append_event knows them: [a-z][a-z0-9_]*.
Outcome SetCategories(std::string_view text, Config* config) {
  config->outbox.categories = devices::SplitList(text);
  const auto is_category = [](const std::string& name) {
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    return name.front() >= 'a' && name.front() <= 'z' &&
           std::all_of(name.begin(), name.end(), allowed);
  };
  return Allowed(
      !config->outbox.categories.empty() &&
      std::all_of(config->outbox.categories.begin(), config->outbox.categories.end(), is_category));
}

Outcome Flag(std::string_view text, bool* out) {
  *out = text == "true";
  return Allowed(*out || text == "false");
}

Outcome OnlyDefault(std::string_view text, std::string_view fallback) {
  return text == fallback ? Outcome::kOk : Outcome::kNotBuilt;
}

// A key whose feature is not there yet takes its default and nothing else.
#define AUREN_NOT_BUILT(value) \
  [](std::string_view text, Config*) { return OnlyDefault(text, value); }
#define AUREN_SET(expression) [](std::string_view text, Config* c) { return expression; }

constexpr char kAddress[] = "an address such as 127.0.0.1:8000, port 0 for any free one";
constexpr char kAnything[] = "a text";
constexpr char kATopic[] = "a topic name: letters, digits, dot, dash and underscore, at most 249";
constexpr char kAPath[] = "a path";
constexpr char kADuration[] = "a duration from 100ms to 5m";
constexpr char kARate[] = "a rate such as 100/60s, or 0 for none";

const std::vector<Key>* MakeKeys() {
  return new std::vector<Key>{
      {"roles", "http,ingest,outbox,fetch", "a list of http, ingest, outbox and fetch", "", true,
       false, SetRoles},
      {"http.listen", "127.0.0.1:8000", kAddress, "", false, false,
       AUREN_SET(Listen(text, &c->http.listen))},
      {"http.threads", "128", "a whole number from 1 to 4096", "", false, false,
       AUREN_SET(Whole(text, 1, 4096, &c->http.threads))},
      {"http.tls.cert_file", "", kAPath, "", false, false,
       AUREN_SET((c->http.tls.cert_file = text, Outcome::kOk))},
      {"http.tls.key_file", "", kAPath, "", false, false,
       AUREN_SET((c->http.tls.key_file = text, Outcome::kOk))},
      {"http.tls.min_version", "1.3", "1.2 or 1.3", "", false, false,
       AUREN_SET(Word(text, {"1.2", "1.3"}, &c->http.tls.min_version))},
      {"http.trusted_proxies", "", "a list of networks such as 10.0.0.0/8", "", true, false,
       SetProxies},
      {"http.deadline", "5s", kADuration, "", false, false,
       AUREN_SET(Seconds(text, 0.1, 300, &c->http.deadline_seconds))},
      {"http.drain", "5s", "a duration from 0 to 5m", "", false, false,
       AUREN_SET(Seconds(text, 0, 300, &c->http.drain_seconds))},
      {"ops.listen", "127.0.0.1:9000", kAddress, "", false, false,
       AUREN_SET(Listen(text, &c->ops.listen))},
      {"postgres.url", "postgresql:///auren", "a libpq URI or connection string", "POSTGRES_URL",
       false, false, AUREN_SET(SetPath(text, &c->postgres.url))},
      {"postgres.writers", "2", "a whole number from 1 to 64", "", false, false,
       AUREN_SET(Whole(text, 1, 64, &c->postgres.writers))},
      {"ingest.mode", "direct", "direct or kafka", "", false, false,
       AUREN_SET(Word(text, {"direct", "kafka"}, &c->ingest.mode))},
      {"ingest.max_concurrent_events", "512", "a whole number from 1 to 1000000",
       "MAX_CONCURRENT_EVENTS", false, false,
       AUREN_SET(Whole(text, 1, 1'000'000, &c->ingest.max_concurrent_events))},
      {"ingest.max_queue_bytes", "64MiB", "a size from 1MiB to 64GiB", "", false, false,
       AUREN_SET(Size(text, 1 << 20, std::int64_t{64} << 30, &c->ingest.max_queue_bytes))},
      {"ingest.max_batch_deliveries", "512", "a whole number from 1 to 10000", "", false, false,
       AUREN_SET(Whole(text, 1, 10'000, &c->ingest.max_batch_deliveries))},
      {"ingest.max_batch_bytes", "4MiB", "a size from 64KiB to 256MiB", "", false, false,
       AUREN_SET(Size(text, 64 << 10, 256 << 20, &c->ingest.max_batch_bytes))},
      {"kafka.bootstrap_servers", "", "addresses such as 10.0.0.1:9092,10.0.0.2:9092",
       "KAFKA_BOOTSTRAP_SERVERS", true, false,
       AUREN_SET((c->kafka.bootstrap_servers = text, Outcome::kOk))},
      {"kafka.topic", "biometric-events", kATopic, "", false, false,
       AUREN_SET(Topic(text, &c->kafka.topic))},
      {"kafka.dlq_topic", "biometric-events.dlq", kATopic, "", false, false,
       AUREN_SET(Topic(text, &c->kafka.dlq_topic))},
      {"kafka.group_id", "auren-worker", "a text that is not empty", "", false, false,
       AUREN_SET(SetPath(text, &c->kafka.group_id))},
      {"kafka.instance_id", "", kAnything, "", false, false,
       AUREN_SET((c->kafka.instance_id = text, Outcome::kOk))},
      {"kafka.consumers", "1", "a whole number from 1 to 64", "", false, false,
       AUREN_SET(Whole(text, 1, 64, &c->kafka.consumers))},
      {"kafka.format", "json", "json or protobuf", "", false, false,
       AUREN_SET(Word(text, {"json", "protobuf"}, &c->kafka.format))},
      {"kafka.properties", "", "a mapping of librdkafka's properties", "", true, false,
       SetProperties},
      {"outbox.enabled", "false", "true or false", "", false, false,
       AUREN_SET(Flag(text, &c->outbox.enabled))},
      {"outbox.topic", "auren.events", kATopic, "", false, false,
       AUREN_SET(Topic(text, &c->outbox.topic))},
      {"outbox.categories", "user", "a list of categories such as user, system", "", true, false,
       SetCategories},
      {"spool.enabled", "false", "true or false", "", false, false,
       AUREN_SET(text == "true" ? Outcome::kNotBuilt : Allowed(text == "false" && c != nullptr))},
      {"spool.path", "", kAPath, "", false, false, AUREN_NOT_BUILT("")},
      {"spool.max_bytes", "1GiB", "a size", "", false, false, AUREN_NOT_BUILT("1GiB")},
      {"spool.key_file", "", kAPath, "", false, false, AUREN_NOT_BUILT("")},
      {"thresholds_file", "config/biometric_thresholds.yaml", kAPath, "BIOMETRIC_CONFIG", false,
       false, AUREN_SET(SetPath(text, &c->thresholds_file))},
      {"devices_dir", "config/devices", kAPath, "", false, false,
       AUREN_SET(SetPath(text, &c->devices_dir))},
      {"limits.api_per_key", "100/60s", kARate, "", false, false,
       AUREN_SET(Limit(text, &c->limits.api_per_key))},
      {"limits.webhook_per_key", "0", kARate, "", false, false,
       AUREN_SET(Limit(text, &c->limits.webhook_per_key))},
      {"limits.failed_auth_per_address", "1000/60s", kARate, "", false, false,
       AUREN_SET(Limit(text, &c->limits.failed_auth_per_address))},
      {"analytics.refresh_interval", "1h", "a duration from 1s to 7d", "", false, false,
       AUREN_SET(Seconds(text, 1, 604'800, &c->analytics.refresh_interval_seconds))},
      {"log.level", "info", "trace, debug, info, warn or error", "", false, false,
       AUREN_SET(Word(text, {"trace", "debug", "info", "warn", "error"}, &c->log.level))},
      {"log.user_hash_key", "", kAnything, "", false, true,
       AUREN_SET((c->log.user_hash_key = text, Outcome::kOk))},
  };
}

#undef AUREN_NOT_BUILT
#undef AUREN_SET

}  // namespace

const std::vector<Key>& Keys() {
  static const std::vector<Key>* const keys = MakeKeys();
  return *keys;
}

std::string EnvironmentName(std::string_view path) {
  std::string name = "AUREN_";
  for (const char c : path) {
    if (c == '.') {
      name += "__";
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return name;
}

std::string Masked(std::string_view text) {
  std::string masked(text);
  // postgresql://user:password@host
  const std::size_t scheme = masked.find("://");
  if (scheme != std::string::npos) {
    const std::size_t end = std::min(masked.find_first_of("/?", scheme + 3), masked.size());
    const std::size_t at = masked.rfind('@', end);
    const std::size_t colon = masked.find(':', scheme + 3);
    if (at != std::string::npos && colon != std::string::npos && colon < at) {
      masked.replace(colon + 1, at - colon - 1, "***");
    }
  }
  // password=..., as a query parameter or in a connection string
  constexpr std::string_view kWord = "password=";
  for (std::size_t at = masked.find(kWord); at != std::string::npos;
       at = masked.find(kWord, at + kWord.size())) {
    const std::size_t from = at + kWord.size();
    const bool quoted = from < masked.size() && masked[from] == '\'';
    const std::size_t to = quoted ? std::min(masked.find('\'', from + 1), masked.size() - 1) + 1
                                  : std::min(masked.find_first_of("& ", from), masked.size());
    masked.replace(from, to - from, "***");
  }
  return masked;
}

}  // namespace auren::config
