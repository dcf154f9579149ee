#include "http/router.h"

#include <chrono>
#include <exception>
#include <optional>

#include "http/problem.h"
#include "http/text.h"
#include "ops/log.h"

namespace auren::http {
namespace {

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The values of the template's names; nullopt: the path is another one.
std::optional<std::map<std::string, std::string>> Match(const std::vector<std::string>& segments,
                                                        const std::vector<std::string>& path) {
  if (segments.size() != path.size()) return std::nullopt;
  std::map<std::string, std::string> values;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string& segment = segments[i];
    if (segment.starts_with('{')) {
      auto value = PercentDecode(path[i]);
      if (!value || value->empty()) return std::nullopt;
      values.emplace(segment.substr(1, segment.size() - 2), std::move(*value));
    } else if (segment != path[i]) {
      return std::nullopt;
    }
  }
  return values;
}

}  // namespace

void Router::Add(std::string_view methods, std::string_view path_template, const Handler& handler) {
  Route route{std::string(path_template), Split(path_template, '/'), {}};
  for (const std::string& method : Split(methods, '|')) route.methods.emplace_back(method, handler);
  routes_.push_back(std::move(route));
}

Response Router::Dispatch(Request& request) const {
  const auto start = std::chrono::steady_clock::now();
  request.route = "other";
  Response response;
  try {
    response = Answer(request);
  } catch (const std::exception& e) {
    // What went wrong is for our log alone, and even there without the data it may quote.
    ops::log::Error(
        "http", "a handler failed",
        {{"route", request.route}, {"trace_id", request.trace_id}, {"error", e.what()}});
    response = Problem("internal", "the log has more under this trace id: " + request.trace_id);
  } catch (...) {
    ops::log::Error("http", "a handler failed", {{"route", request.route}});
    response = Problem("internal", {});
  }
  if (observer_) {
    observer_(request.route, request.method, response.status,
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return response;
}

Response Router::Answer(Request& request) const {
  const std::vector<std::string> path = Split(request.path, '/');
  for (const Route& route : routes_) {
    auto params = Match(route.segments, path);
    if (!params) continue;
    request.route = route.path_template;
    request.params = std::move(*params);
    std::string allow;
    for (const auto& [method, handler] : route.methods) {
      if (method == request.method) return handler(request);
      allow += (allow.empty() ? "" : ", ") + method;
    }
    Response response = Problem("method_not_allowed", "allowed here: " + allow);
    response.headers["Allow"] = allow;
    return response;
  }
  return Problem("not_found", "docs/openapi.yaml lists the routes, as does GET /openapi.json");
}

}  // namespace auren::http
