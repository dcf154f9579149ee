#include "http/client_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "http/text.h"

namespace auren::http {
namespace {

using Address = std::array<std::uint8_t, 16>;

std::optional<Address> ParseAddress(std::string_view text, bool* is_v4 = nullptr) {
  const std::string terminated(text);
  Address address{};
  if (inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) {
    if (is_v4 != nullptr) *is_v4 = false;
    return address;
  }
  address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (inet_pton(AF_INET, terminated.c_str(), address.data() + 12) == 1) {
    if (is_v4 != nullptr) *is_v4 = true;
    return address;
  }
  return std::nullopt;
}

bool InNetwork(const Address& address, const Address& network, int bits) {
  const auto bytes = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(address.data(), network.data(), bytes) != 0) return false;
  const int rest = bits % 8;
  return rest == 0 || (address[bytes] >> (8 - rest)) == (network[bytes] >> (8 - rest));
}

}  // namespace

std::optional<TrustedProxies> TrustedProxies::Parse(const std::vector<std::string>& cidrs,
                                                    std::string* bad) {
  TrustedProxies proxies;
  for (const std::string& cidr : cidrs) {
    const std::size_t slash = cidr.find('/');
    bool is_v4 = false;
    const auto address = ParseAddress(std::string_view(cidr).substr(0, slash), &is_v4);
    const int most = is_v4 ? 32 : 128;
    int bits = most;
    if (slash != std::string::npos) {
      const char* end = cidr.data() + cidr.size();
      const auto [stop, error] = std::from_chars(cidr.data() + slash + 1, end, bits);
      if (error != std::errc() || stop != end) bits = -1;
    }
    if (!address || bits < 0 || bits > most) {
      *bad = cidr;
      return std::nullopt;
    }
    proxies.networks_.push_back({*address, is_v4 ? bits + 96 : bits});
  }
  return proxies;
}

bool TrustedProxies::Contains(std::string_view text) const {
  const auto address = ParseAddress(text);
  if (!address) return false;
  for (const Network& network : networks_) {
    if (InNetwork(*address, network.address, network.bits)) return true;
  }
  return false;
}

std::string TrustedProxies::ClientOf(const std::string& peer,
                                     std::string_view forwarded_for) const {
  std::string client = peer;
  while (!forwarded_for.empty() && Contains(client)) {
    const std::size_t comma = forwarded_for.rfind(',');
    const std::string_view last =
        Trim(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1));
    if (!ParseAddress(last))
      break;  // what a trusted proxy passes on but is no address ends the chain
    client = last;
    forwarded_for =
        comma == std::string_view::npos ? std::string_view() : forwarded_for.substr(0, comma);
  }
  return client;
}

}  // namespace auren::http
