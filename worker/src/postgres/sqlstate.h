// What to do about an error of PostgreSQL, by its SQLSTATE: data in one table, one test per class.
#pragma once

#include <string_view>
#include <vector>

namespace auren::postgres {

enum class Action {
  kReconnect,  // the connection or the server's role is gone: reconnect, send again
  kRetry,      // lost a race: send again on the same connection
  kRace,       // another transaction stored the same event id: send again, now it is a duplicate
  kHalve,      // took too long: send in smaller parts
  kBackOff,    // the server lacks memory, disk or connections: wait, breaker counts it
  kPoison,     // the data's fault: find the delivery and refuse only that one
  kUnknownCommit,  // nobody knows whether it committed: send again, the event id tells
  kStop  // a deployment's fault (privilege, missing function, a bug): stop the line, say why
};
const char* Name(Action action);

struct SqlstateRule {
  std::string_view prefix;  // a whole SQLSTATE or its beginning; the longest that fits applies
  Action action;
};

// Every rule there is. What none of them fits is kStop: a fault nobody thought of never drains
// deliveries into the dead letters.
const std::vector<SqlstateRule>& SqlstateRules();

// `sqlstate` empty (libpq lost the connection and has none) is kReconnect.
Action Classify(std::string_view sqlstate);

}  // namespace auren::postgres
