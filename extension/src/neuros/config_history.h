// Every configuration that ever held, to judge by what held then.
#pragma once

#include "core/config.h"
#include "postgres/backend.h"

namespace auren::neuros {

class ConfigHistory {
 public:
  // Reads all versions. REQUIRES: within an SPI session; lives as long as it does.
  void Load();

  // A version by its number; 0 is the built-in configuration. XX000 when there is no such one.
  const core::Config& At(int64 version) const;

  // The number of the version that held at a time.
  int64 VersionAt(TimestampTz at) const;

 private:
  struct Version {
    int64 version;
    TimestampTz created_at;
    core::Config config;
  };
  Version* versions_;  // oldest first; the first is the built-in one
  int count_;
};

}  // namespace auren::neuros
