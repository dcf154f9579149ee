#include "kafka/single.h"

namespace auren::kafka {
namespace {

// What is acknowledged may be forgotten by a crash of the server: it is only sent again. So no
// commit of ours waits for the disk.
constexpr const char* kSettings =
    "SELECT pg_catalog.set_config(name, value, false) FROM (VALUES"
    " ('synchronous_commit', 'off'), ('idle_session_timeout', '30s'),"
    " ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '3'),"
    " ('tcp_keepalives_count', '3')) AS setting (name, value)";
constexpr const char* kLock =
    "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))";

}  // namespace

Single::Single(const std::string& url, const std::string& role, std::string lock)
    : connection_(url, role), lock_(std::move(lock)) {}

bool Single::Hold() {
  if (held_ && connection_.connected()) return true;
  held_ = false;
  if (!connection_.connected() && !Run(kSettings, {}).ok()) return false;
  const postgres::Result result = Run(kLock, {postgres::Param::Text(lock_)});
  held_ = result.ok() && result.Get(0, 0) == "t";
  return held_;
}

postgres::Result Single::Execute(const std::string& sql,
                                 const std::vector<postgres::Param>& params) {
  // Never by a connection made on the way: it would be without lock and settings.
  if (connection_.connected()) return Run(sql, params);
  return postgres::Result(postgres::Error{postgres::kConnectionFailure, error_});
}

postgres::Result Single::Run(const std::string& sql, const std::vector<postgres::Param>& params) {
  postgres::Result result = connection_.Execute(sql, params);
  error_ = result.ok() ? "" : result.error().message;
  if (!connection_.connected()) held_ = false;
  return result;
}

void Single::Say(const Standing& standing, const std::string& trouble, const Producer& producer,
                 ops::Readiness* readiness) const {
  using Check = ops::Readiness::Check;
  std::string why;
  if (!connected()) {
    readiness->Set(standing.name, Check::kDegraded, "PostgreSQL: " + error_);
  } else if (!trouble.empty()) {
    readiness->Set(standing.name, Check::kDegraded, trouble);
  } else if (!held_) {
    readiness->Set(standing.name, Check::kOk, standing.another);
  } else if (producer.away(&why)) {
    readiness->Set(standing.name, Check::kDegraded, why);
  } else {
    readiness->Set(standing.name, Check::kOk, standing.does);
  }
}

void Single::Leave() {
  connection_.Disconnect();
  held_ = false;
}

}  // namespace auren::kafka
