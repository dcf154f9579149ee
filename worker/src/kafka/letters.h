// Records that cannot be taken in, on their way to bridge.dead_letters: kept as they came, in the
// transaction that moves the offset past them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/outcome.h"
#include "kafka/batch.h"
#include "postgres/connection.h"

namespace auren::kafka {

struct Refusal {
  const Item* item = nullptr;
  std::string reason;    // one of docs/dead-letters.md
  std::string sqlstate;  // empty: PostgreSQL raised no error
  std::string detail;    // for people; empty: none
  std::string event_id;  // as its header says; empty: none
};

// What a refusal makes of a record.
Refusal RefusalOf(const Item& item, const ingest::Outcome& outcome);

// REQUIRES: not empty, all of one topic.
postgres::Statement AddLetters(const std::vector<Refusal>& letters);

// A record's headers as bridge.dead_letters keeps them: [{"key", "value"}], in order; a value that
// is no text as "base64".
std::string HeadersJson(const std::vector<Header>& headers);

}  // namespace auren::kafka
