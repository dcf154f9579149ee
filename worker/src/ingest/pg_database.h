// The committer's Database over a real connection: resolves whose data each delivery is
// (bridge.resolve_users), then stores all of them with one bridge.ingest_batch.
#pragma once

#include <string>
#include <vector>

#include "ingest/database.h"
#include "postgres/connection.h"

namespace auren::ingest {

// What PgDatabase does, on a connection of the caller's and in the caller's transaction if there is
// one. A delivery without a user comes back `rejected` with problem user_unresolved, one whose user
// is not the API key's with user_mismatch; neither is sent.
BatchResult IngestOn(postgres::Connection& connection,
                     const std::vector<const Delivery*>& deliveries);

class PgDatabase : public Database {
 public:
  PgDatabase(const std::string& url, const std::string& role) : connection_(url, role) {}

  BatchResult Ingest(const std::vector<const Delivery*>& deliveries) override {
    return IngestOn(connection_, deliveries);
  }
  void Disconnect() override { connection_.Disconnect(); }

 private:
  postgres::Connection connection_;
};

}  // namespace auren::ingest
