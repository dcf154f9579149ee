#include "postgres/sqlstate.h"

namespace auren::postgres {

const char* Name(Action action) {
  switch (action) {
    case Action::kReconnect:
      return "reconnect";
    case Action::kRetry:
      return "retry";
    case Action::kRace:
      return "race";
    case Action::kHalve:
      return "halve";
    case Action::kBackOff:
      return "back_off";
    case Action::kPoison:
      return "poison";
    case Action::kUnknownCommit:
      return "unknown_commit";
    case Action::kStop:
      return "stop";
  }
  return "stop";
}

const std::vector<SqlstateRule>& SqlstateRules() {
  static const std::vector<SqlstateRule> rules = {
      {"08", Action::kReconnect},         // connection exception
      {"57P", Action::kReconnect},        // shutdown, crash, cannot connect now
      {"25006", Action::kReconnect},      // read only: the old primary after a failover
      {"25P03", Action::kReconnect},      // idle in a transaction for too long: we were held up
      {"40001", Action::kRetry},          // serialization failure
      {"40P01", Action::kRetry},          // deadlock
      {"55P03", Action::kRetry},          // lock not available
      {"23505", Action::kRace},           // unique violation: the dedupe key
      {"57014", Action::kHalve},          // statement timeout
      {"53", Action::kBackOff},           // insufficient resources
      {"58", Action::kBackOff},           // system error, I/O
      {"22", Action::kPoison},            // data exception
      {"23", Action::kPoison},            // constraint violation
      {"54", Action::kPoison},            // program limit exceeded
      {"UA001", Action::kPoison},         // wrong_expected_version
      {"UA002", Action::kPoison},         // event_id_conflict
      {"UA004", Action::kPoison},         // stream tombstoned
      {"40003", Action::kUnknownCommit},  // statement completion unknown
      {"28", Action::kStop},              // invalid authorization
      {"3D", Action::kStop},              // no such database
      {"42", Action::kStop},              // privilege, or a function that is not there
      {"0A", Action::kStop},              // feature not supported
      {"XX", Action::kStop},              // internal error
  };
  return rules;
}

Action Classify(std::string_view sqlstate) {
  if (sqlstate.empty()) return Action::kReconnect;
  Action best = Action::kStop;
  std::size_t longest = 0;
  for (const SqlstateRule& rule : SqlstateRules()) {
    if (rule.prefix.size() > longest && sqlstate.starts_with(rule.prefix)) {
      best = rule.action;
      longest = rule.prefix.size();
    }
  }
  return best;
}

}  // namespace auren::postgres
