// The rows of one subscription in the tables that begin with its name, found by their primary keys:
// no plan, no search_path.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "access/genam.h"
#include "utils/rel.h"
#include "utils/snapshot.h"
}

namespace auren::events {

// The tables, and their columns' numbers as fixed by extension/schema/events.sql.
struct NamedTable {
  const char* table;
  const char* primary_key;
};

inline constexpr NamedTable kSubscriptions = {"subscriptions", "subscriptions_pkey"};
enum SubscriptionColumn : AttrNumber { kSubscriptionCategory = 2, kSubscriptionPosition = 3 };

inline constexpr NamedTable kCheckpoints = {"subscription_checkpoints",
                                            "subscription_checkpoints_pkey"};
enum CheckpointColumn : AttrNumber {
  kCheckpointMembers = 2,
  kCheckpointMember = 3,
  kCheckpointPosition = 4,
};

inline constexpr NamedTable kParked = {"parked", "parked_pkey"};

//   const ByName rows = BeginByName(kCheckpoints, name, snapshot);
//   while (Next(rows)) ... slot_getattr(rows.slot, kCheckpointPosition, &is_null) ...
//   End(rows);
struct ByName {
  Relation table;
  Relation index;
  TupleTableSlot* slot;
  IndexScanDesc scan;
};

ByName BeginByName(const NamedTable& table, text* name, Snapshot snapshot);
bool Next(const ByName& rows);  // in the order of the primary key
void End(const ByName& rows);

}  // namespace auren::events
