// Known answers of wearables, and a request to try them with. Shared by the tests of devices.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "devices/device.h"

namespace auren::devices {

inline std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline std::string Payload(const std::string& name) {
  return ReadBytes(AUREN_TEST_DATA "/wearables/payloads/" + name);
}

inline nlohmann::json Vectors(const std::string& name) {
  return nlohmann::json::parse(ReadBytes(AUREN_TEST_DATA "/wearables/" + name));
}

// The devices that are shipped.
inline std::shared_ptr<const Catalog> Shipped() {
  std::string error;
  auto catalog = Catalog::Load(AUREN_ROOT "/config/devices", &error);
  EXPECT_NE(catalog, nullptr) << error;
  return catalog;
}

// Owns what a Request only points to.
struct Sent {
  std::string body, method = "POST", path_token;
  std::map<std::string, std::string> headers, query;
  std::int64_t now = 1737960072;

  Request request() const {
    Request request;
    request.method = method;
    request.path_token = path_token;
    request.headers = &headers;
    request.query = &query;
    request.body = body;
    request.now_unix = now;
    return request;
  }
};

inline Mapped MapBody(const Catalog& catalog, const std::string& provider, const std::string& body,
                      const std::string& bound_user = "") {
  Sent sent;
  sent.body = body;
  Verdict verdict;
  verdict.kind = Verdict::Kind::kAccept;
  verdict.bound_user = bound_user;
  return catalog.Find(provider)->Map(sent.request(), verdict);
}

}  // namespace auren::devices
