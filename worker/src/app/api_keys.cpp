#include "app/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

#include "http/problem.h"
#include "http/text.h"

namespace auren::app {
namespace {

std::string_view KeyOf(const http::Request& request) {
  const std::string_view authorization = request.Header("authorization");
  if (http::Lower(authorization.substr(0, 7)) == "bearer ") {
    return http::Trim(authorization.substr(7));
  }
  return request.Header("x-api-key");
}

// Compared by hash, so that the time taken tells nothing of where two keys differ or how long they
// are.
bool SameKey(std::string_view a, std::string_view b) {
  return CRYPTO_memcmp(Sha256(a).data(), Sha256(b).data(), 32) == 0;
}

// `KEY` or `KEY:USER`, as in HEALTHKIT_API_KEYS.
std::optional<Caller> FindConfigured(const config::Config& config, std::string_view key) {
  const auto secrets = config.devices.find("healthkit");
  if (secrets == config.devices.end()) return std::nullopt;
  const auto keys = secrets->second.values.find("api_keys");
  if (keys == secrets->second.values.end()) return std::nullopt;
  std::optional<Caller> found;
  int number = 0;
  for (const std::string& entry : keys->second) {
    ++number;
    const std::size_t colon = entry.find(':');
    if (SameKey(std::string_view(entry).substr(0, colon), key)) {
      found = Caller{"healthkit key " + std::to_string(number),
                     colon == std::string::npos ? "" : entry.substr(colon + 1)};
    }
  }
  return found;
}

}  // namespace

std::string Sha256(std::string_view text) {
  std::array<unsigned char, 32> hash{};
  EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

http::RateLimiter::Rate ToRate(const config::Rate& rate) {
  return {static_cast<double>(rate.count), rate.per_seconds};
}

std::optional<Caller> ApiKeys::Authenticate(const http::Request& request,
                                            std::chrono::steady_clock::time_point deadline,
                                            http::Response* refusal) {
  const ConfigPtr config = config_->get();
  const auto now = std::chrono::steady_clock::now();
  const auto failed_rate = ToRate(config->limits.failed_auth_per_address);
  const std::string address = "failed/" + request.remote_addr;
  if (const int wait = limiter_->Peek(address, failed_rate, now); wait > 0) {
    *refusal = http::Problem("rate_limited", "too many failed attempts from this address", 0, wait);
    return std::nullopt;
  }
  const auto refuse = [&](const char* code, const char* detail) {
    limiter_->Take(address, failed_rate, now);
    *refusal = http::Problem(code, detail);
    refusal->headers["WWW-Authenticate"] = "Bearer";
    return std::nullopt;
  };
  const std::string_view key = KeyOf(request);
  if (key.empty()) {
    return refuse("missing_header", "send Authorization: Bearer KEY, or x-api-key: KEY");
  }

  std::optional<Caller> caller = FindConfigured(*config, key);
  if (!caller) {
    const postgres::Result result =
        pool_->Execute(deadline, "SELECT name, user_id FROM bridge.find_api_key($1)",
                       {postgres::Param::Bytes(Sha256(key))});
    if (!result.ok()) {
      *refusal = http::Problem("database_unavailable", "the key cannot be checked now", 0, 2);
      return std::nullopt;
    }
    if (result.rows() == 0) return refuse("bad_signature", "this key is not admitted");
    caller = Caller{std::string(result.Get(0, 0)), std::string(result.Get(0, 1))};
  }
  const int wait = limiter_->Take("api/" + caller->name, ToRate(config->limits.api_per_key), now);
  if (wait > 0) {
    *refusal = http::Problem("rate_limited", "too many requests with this key", 0, wait);
    return std::nullopt;
  }
  return caller;
}

}  // namespace auren::app
