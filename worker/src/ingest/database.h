// What the committer needs of PostgreSQL: one batch, one transaction. An interface, so that the
// committer's promises are tested with a database that fails on command.
#pragma once

#include <string>
#include <vector>

#include "ingest/delivery.h"
#include "ingest/outcome.h"

namespace auren::ingest {

struct BatchResult {
  std::vector<Outcome> outcomes;  // one for each delivery, in order; only when `sqlstate` is empty
  std::string sqlstate;           // empty: committed
  std::string message;
};

// One writer's connection; used by one thread.
class Database {
 public:
  virtual ~Database() = default;

  // Stores the deliveries in one transaction, connecting first when there is no connection. Sending
  // the same delivery again is safe: its event id makes it a duplicate.
  virtual BatchResult Ingest(const std::vector<const Delivery*>& deliveries) = 0;

  // Closes the connection; the next Ingest makes a new one.
  virtual void Disconnect() = 0;
};

}  // namespace auren::ingest
