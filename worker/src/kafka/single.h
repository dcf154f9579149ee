// One among all workers on this database: a connection that holds a session's advisory lock, and
// does its work over that same connection, so that whoever lost the lock can change nothing any
// more.
//
// The lock ends with the session. A process that is killed is noticed at once, a machine that is
// gone within 20 s (the server's keepalives), a process that stands still within 30 s (the
// server ends a session that says nothing for so long): who holds it must say something more often.
#pragma once

#include <string>
#include <vector>

#include "kafka/producer.h"
#include "ops/readiness.h"
#include "postgres/connection.h"

namespace auren::kafka {

// How it stands with such a one, for /ready.
struct Standing {
  std::string name;     // of the check
  std::string does;     // "publishes to auren.events", when all is well
  std::string another;  // "another worker publishes"
};

class Single {
 public:
  // `role` as in postgres::Connection. `lock`: the name that only one may hold.
  Single(const std::string& url, const std::string& role, std::string lock);

  // Whether the lock is ours; tries to get it when it is not. Once a second is often enough.
  bool Hold();

  // One statement over the connection that Hold has made, also without the lock. A connection lost
  // by it has lost the lock.
  postgres::Result Execute(const std::string& sql, const std::vector<postgres::Param>& params = {});

  bool held() const { return held_; }
  bool connected() const { return connection_.connected(); }
  // Of the last statement; empty when it went well.
  const std::string& error() const { return error_; }

  // Sets the check. `trouble`: why it does not go on, or empty.
  void Say(const Standing& standing, const std::string& trouble, const Producer& producer,
           ops::Readiness* readiness) const;

  // Lets go, so that another one need not wait.
  void Leave();

 private:
  postgres::Result Run(const std::string& sql, const std::vector<postgres::Param>& params);

  postgres::Connection connection_;
  const std::string lock_;
  bool held_ = false;
  std::string error_;
};

}  // namespace auren::kafka
