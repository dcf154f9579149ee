// docs/openapi.yaml, built into the program, as the JSON that GET /openapi.json answers.
#pragma once

#include <string>

namespace auren::app {

const std::string& OpenApiJson();  // converted at the first call; thread safe

// The same for any YAML text: plain scalars that read as numbers, true, false or null become those.
std::string YamlToJson(const std::string& yaml);

}  // namespace auren::app
