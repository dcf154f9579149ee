// Values that only the configuration knows: addresses, rates, networks.
#pragma once

#include <optional>
#include <string_view>

#include "config/config.h"

namespace auren::config {

// "127.0.0.1:8000", "[::1]:8000", "localhost:0".
std::optional<HostPort> ParseHostPort(std::string_view text);

// "100/60s"; "0" is off.
std::optional<Rate> ParseRate(std::string_view text);

// "10.0.0.0/8", "::1/128".
bool IsNetwork(std::string_view text);

}  // namespace auren::config
