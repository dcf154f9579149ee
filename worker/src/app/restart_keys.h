// What a reload cannot change.
#pragma once

#include <string>

#include "config/config.h"

namespace auren::app {

// The keys that are read at start only and differ, comma separated; empty: none.
std::string ChangedRestartKeys(const config::Config& started, const config::Config& now);

}  // namespace auren::app
