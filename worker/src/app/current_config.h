// The configuration in force: one immutable value, swapped whole at a reload. Who needs several
// keys of it takes the pointer once and so sees one configuration, never half of two.
#pragma once

#include <memory>
#include <mutex>

#include "config/config.h"

namespace auren::app {

using ConfigPtr = std::shared_ptr<const config::Config>;

class CurrentConfig {
 public:
  explicit CurrentConfig(ConfigPtr config) : config_(std::move(config)) {}

  ConfigPtr get() const {
    const std::lock_guard lock(mutex_);
    return config_;
  }
  void set(ConfigPtr config) {
    const std::lock_guard lock(mutex_);
    config_ = std::move(config);
  }

 private:
  mutable std::mutex mutex_;
  ConfigPtr config_;
};

}  // namespace auren::app
