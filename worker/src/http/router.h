// Routes by template: "/api/v1/users/{id}/mode". A {name} takes one segment, decoded, so an id may
// hold an escaped slash.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace auren::http {

using Handler = std::function<Response(Request&)>;

class Router {
 public:
  // After an answer: the template (or "other"), the method, the status, the seconds it took.
  using Observer = std::function<void(const std::string& route, const std::string& method,
                                      int status, double seconds)>;

  // `methods`: "GET", or several as "POST|HEAD|GET". Routes are tried in the order they were added.
  void Add(std::string_view methods, std::string_view path_template, const Handler& handler);
  void set_observer(Observer observer) { observer_ = std::move(observer); }

  // 404 and 405 (with Allow) are problems; a handler that throws becomes a 500 that tells nothing.
  Response Dispatch(Request& request) const;

 private:
  struct Route {
    std::string path_template;
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, Handler>> methods;
  };
  Response Answer(Request& request) const;

  std::vector<Route> routes_;
  Observer observer_;
};

}  // namespace auren::http
