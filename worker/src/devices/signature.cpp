#include "devices/signature.h"

#include <algorithm>

#include "devices/crypto.h"
#include "devices/scalar.h"

namespace auren::devices {
namespace {

// The key of `Authorization: Bearer KEY`, or nothing for another way to authorize.
std::string_view BearerKey(std::string_view header) {
  constexpr std::string_view kPrefix = "bearer ";
  if (header.size() <= kPrefix.size() || Lower(header.substr(0, kPrefix.size())) != kPrefix)
    return {};
  header.remove_prefix(kPrefix.size());
  const std::size_t first = header.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view{} : header.substr(first);
}

class Bearer : public Scheme {
 public:
  using Scheme::Scheme;

  Checked Check(const Request& request, const Secrets& secrets) const override {
    std::string_view given;
    if (const std::string* header = FindHeader(request, "authorization"))
      given = BearerKey(*header);
    if (given.empty()) {
      if (const std::string* header = FindHeader(request, "x-api-key")) given = *header;
    }
    if (given.empty()) return Checked::Missing("header 'authorization: bearer' or 'x-api-key'");
    Checked checked = Checked::Refuse(Problem::kBadSignature, "the API key is not known");
    const std::vector<std::string>& keys = *FindSecret(secrets, secret());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::string_view entry = keys[i];
      const std::size_t colon = std::min(entry.find(':'), entry.size());
      if (!SameSecret(given, entry.substr(0, colon))) continue;
      checked.kind = Checked::Kind::kAccepted;
      checked.key_name = "key " + std::to_string(i + 1);
      checked.bound_user = entry.substr(std::min(colon + 1, entry.size()));
    }
    return checked;
  }
};

class Header : public Scheme {
 public:
  Header(std::string secret, std::string header)
      : Scheme(std::move(secret)), header_(std::move(header)) {}

  Checked Check(const Request& request, const Secrets& secrets) const override {
    const std::string* given = FindHeader(request, header_);
    if (given == nullptr) return Checked::Missing("header '" + header_ + "'");
    Checked checked =
        Checked::Refuse(Problem::kBadSignature, "header '" + header_ + "' is not the one agreed");
    for (const std::string& value : *FindSecret(secrets, secret())) {
      if (SameSecret(*given, value)) checked.kind = Checked::Kind::kAccepted;
    }
    return checked;
  }

 private:
  std::string header_;
};

class PathToken : public Scheme {
 public:
  using Scheme::Scheme;

  Checked Check(const Request& request, const Secrets& secrets) const override {
    if (request.path_token.empty()) return Checked::Missing("the token in the path");
    Checked checked = Checked::Refuse(Problem::kBadSignature, "the token in the path is not known");
    for (const std::string& value : *FindSecret(secrets, secret())) {
      if (SameSecret(request.path_token, value)) checked.kind = Checked::Kind::kAccepted;
    }
    return checked;
  }
};

}  // namespace

std::unique_ptr<Scheme> LoadScheme(yaml::Section* section) {
  std::string scheme, secret;
  section->Choice("scheme", {"hmac", "bearer", "header", "path_token"}, &scheme);
  section->Require("scheme");
  section->Text("secret", &secret);
  section->Require("secret");
  std::unique_ptr<Scheme> loaded;
  if (scheme == "hmac") loaded = LoadHmac(section, secret);
  if (scheme == "bearer") loaded = std::make_unique<Bearer>(secret);
  if (scheme == "path_token") loaded = std::make_unique<PathToken>(secret);
  if (scheme == "header") {
    std::string header;
    section->Text("header", &header);
    section->Require("header");
    loaded = std::make_unique<Header>(secret, Lower(header));
  }
  section->Finish();
  return loaded;
}

const std::vector<std::string>* FindSecret(const Secrets& secrets, const std::string& name) {
  const auto found = secrets.values.find(name);
  return found == secrets.values.end() || found->second.empty() ? nullptr : &found->second;
}

const std::string* FindHeader(const Request& request, const std::string& name) {
  if (request.headers == nullptr) return nullptr;
  const auto found = request.headers->find(name);
  return found == request.headers->end() ? nullptr : &found->second;
}

}  // namespace auren::devices
