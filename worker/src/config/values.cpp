#include "config/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "devices/scalar.h"

namespace auren::config {

std::optional<HostPort> ParseHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto port = devices::ParseWhole(text.substr(colon + 1), 0, 65535);
  if (!port) return std::nullopt;
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    in6_addr address;
    if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  } else if (host.find_first_of(":/ []@") != std::string::npos) {
    return std::nullopt;
  }
  return HostPort{std::move(host), static_cast<std::uint16_t>(*port)};
}

std::optional<Rate> ParseRate(std::string_view text) {
  if (text == "0") return Rate{0, 0};
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto count = devices::ParseWhole(text.substr(0, slash), 1, 1'000'000'000);
  const auto seconds = devices::ParseDuration(text.substr(slash + 1));
  if (!count || !seconds || *seconds <= 0) return std::nullopt;
  return Rate{static_cast<int>(*count), *seconds};
}

bool IsNetwork(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string address(text.substr(0, slash));
  in_addr four;
  in6_addr six;
  const bool is_four = inet_pton(AF_INET, address.c_str(), &four) == 1;
  if (!is_four && inet_pton(AF_INET6, address.c_str(), &six) != 1) return false;
  return slash == text.size() ||
         devices::ParseWhole(text.substr(slash + 1), 0, is_four ? 32 : 128).has_value();
}

}  // namespace auren::config
