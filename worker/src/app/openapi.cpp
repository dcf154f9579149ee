#include "app/openapi.h"

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

#include "openapi_text.h"

namespace auren::app {
namespace {

using Json = nlohmann::ordered_json;

Json Convert(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map: {
      Json object = Json::object();
      for (const auto& entry : node) object[entry.first.Scalar()] = Convert(entry.second);
      return object;
    }
    case YAML::NodeType::Sequence: {
      Json array = Json::array();
      for (const auto& item : node) array.push_back(Convert(item));
      return array;
    }
    case YAML::NodeType::Scalar: {
      if (node.Tag() == "!") return node.Scalar();  // quoted: text, whatever it looks like
      // A plain scalar is JSON's own if it reads so: 3, true, 0.5.
      Json value = Json::parse(node.Scalar(), nullptr, false);
      return value.is_discarded() ? Json(node.Scalar()) : value;
    }
    default:
      return nullptr;
  }
}

}  // namespace

std::string YamlToJson(const std::string& yaml) { return Convert(YAML::Load(yaml)).dump() + "\n"; }

const std::string& OpenApiJson() {
  static const std::string json = YamlToJson(kOpenApiYaml);
  return json;
}

}  // namespace auren::app
