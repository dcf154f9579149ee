// A path for a test's own files: each test runs in a process of its own, several at once.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace auren {

inline std::string OwnPath(const std::string& name) {
  return testing::TempDir() + "/" + std::to_string(getpid()) + "." + name;
}

}  // namespace auren
