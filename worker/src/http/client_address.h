// Whose request it is when proxies stand in front: X-Forwarded-For is believed only as far as
// trusted proxies wrote it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auren::http {

class TrustedProxies {
 public:
  // CIDRs such as "10.0.0.0/8", "::1/128" or a plain address. nullopt: `bad` names the first that
  // is none.
  static std::optional<TrustedProxies> Parse(const std::vector<std::string>& cidrs,
                                             std::string* bad);

  bool Contains(std::string_view address) const;

  // The last address of `forwarded_for` that is not a trusted proxy's, if `peer` is one; else
  // `peer`.
  std::string ClientOf(const std::string& peer, std::string_view forwarded_for) const;

 private:
  struct Network {
    std::array<std::uint8_t, 16> address;  // IPv4 as ::ffff:a.b.c.d
    int bits;
  };
  std::vector<Network> networks_;
};

}  // namespace auren::http
