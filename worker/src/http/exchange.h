// One request and its answer through the HTTP library: the only room that includes it.
#pragma once

#include <functional>
#include <memory>

#include "http/budget.h"
#include "http/connection.h"
#include "http/head.h"
#include "http/message.h"
#include "http/server.h"

namespace auren::http {

// Reads bodies and writes answers. One for a server, used by all its threads.
class Library {
 public:
  explicit Library(const ServerOptions& options);
  ~Library();

  // Gives the request to `answer` (its body readable when it is a POST) and writes what it returns.
  // `must_close`: end the connection after this answer. False: the connection is of no more use.
  bool Exchange(Connection& connection, const Head& head, bool must_close, Budget::Share& share,
                Request& request, const std::function<Response(Request&)>& answer);

 private:
  class Engine;
  const ServerOptions& options_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace auren::http
