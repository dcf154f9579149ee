// The configuration that holds: the newest of neuros.config_versions, or the built-in one.
#pragma once

#include "core/config.h"
#include "postgres/backend.h"

namespace auren::neuros {

struct ActiveConfig {
  int64 version;               // 0: the built-in configuration
  const core::Config* config;  // valid until the next LoadConfig
};

// Reads which version holds and, if it is another than last time, that version.
// REQUIRES: within an SPI session.
ActiveConfig LoadConfig(bool read_only = false);

}  // namespace auren::neuros
