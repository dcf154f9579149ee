// Every key of config/auren.yaml: its default, what is allowed, and where it goes. One table, so
// that the file, the environment, the command line and --print-config agree.
//
// Values are texts until here, whatever their origin: a list is its items joined by commas.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace auren::config {

enum class Outcome {
  kOk,
  kNotAllowed,
  kNotBuilt  // part of the contract, and not there yet
};

struct Key {
  const char* path;
  const char* fallback;    // the default
  const char* allowed;     // "expected ..."
  const char* short_name;  // of the environment, or ""
  bool list;
  bool secret;
  Outcome (*set)(std::string_view text, Config* config);
};

// In the order of the documentation.
const std::vector<Key>& Keys();

// The key's own name in the environment: "http.tls.cert_file" -> "AUREN_HTTP__TLS__CERT_FILE".
std::string EnvironmentName(std::string_view path);

// The text as it may be shown: a password inside a URL is masked.
std::string Masked(std::string_view text);

}  // namespace auren::config
