// Signature schemes: how a request proves who sent it. A device file lists one or more under
// `verify`; the first whose headers are there decides.
//
//   hmac         HMAC over parts of the request (body, header:<name>, pair:<name>), joined
//   bearer       an API key in `Authorization: Bearer` or `x-api-key`, each key maybe bound to a
//   user header       a header that must hold the secret path_token   /webhooks/<provider>/<token>
//
// All secrets of a list are tried, without stopping at the one that fits; the bytes compared are
// decoded first, so that the case of hexadecimal digits does not matter.
#pragma once

#include <memory>
#include <string>

#include "devices/device.h"
#include "devices/yaml.h"

namespace auren::devices {

struct Checked {
  enum class Kind {
    kAccepted,
    kRefused,
    kNotMine  // a header this scheme needs is not there: another alternative may fit
  };
  Kind kind = Kind::kNotMine;
  Problem problem = Problem::kMissingHeader;
  std::string detail;
  std::string key_name, bound_user;

  static Checked Refuse(Problem problem, std::string detail) {
    return {Kind::kRefused, problem, std::move(detail), {}, {}};
  }
  static Checked Missing(const std::string& what) {
    return {Kind::kNotMine, Problem::kMissingHeader, what + " is missing", {}, {}};
  }
};

class Scheme {
 public:
  explicit Scheme(std::string secret) : secret_(std::move(secret)) {}
  virtual ~Scheme() = default;
  virtual Checked Check(const Request& request, const Secrets& secrets) const = 0;
  const std::string& secret() const { return secret_; }  // the name of the secret it needs

 private:
  std::string secret_;
};

// One entry of `verify`. On a fault the section's report says so and the result may be null.
std::unique_ptr<Scheme> LoadScheme(yaml::Section* section);
std::unique_ptr<Scheme> LoadHmac(yaml::Section* section, const std::string& secret);

// The values of a secret, or nullptr when there are none.
const std::vector<std::string>* FindSecret(const Secrets& secrets, const std::string& name);
// A header by its lower-case name, or nullptr.
const std::string* FindHeader(const Request& request, const std::string& name);

}  // namespace auren::devices
