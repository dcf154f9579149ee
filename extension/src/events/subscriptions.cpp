// events.create_subscription, ack_subscription, reset_subscription, drop_subscription.
#include "events/subscriptions.h"

#include "events/horizon.h"
#include "events/parking.h"
#include "events/scan.h"
#include "events/store.h"
#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

// A position given by the caller: NULL is refused, and so is what no event can have.
int64 PositionArgument(FunctionCallInfo fcinfo, int argument, const char* name) {
  pg::RequireNotNull(fcinfo, argument, name);
  const int64 position = PG_GETARG_INT64(argument);
  if (position < 0) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s must not be negative", name), errhint("Use 0 for the beginning.")));
  }
  return position;
}

text* NameArgument(FunctionCallInfo fcinfo) {
  pg::RequireNotNull(fcinfo, 0, "p_name");
  return PG_GETARG_TEXT_PP(0);
}

void Create(text* name, text* category, int64 position) {
  if (VARSIZE_ANY_EXHDR(name) == 0) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a subscription's name must not be empty"),
                    errhint("Name it after its consumer, for example \"invoices\".")));
  }
  static pg::Statement insert = {
      "INSERT INTO events.subscriptions (name, category, position) VALUES ($1, $2, $3)"
      " ON CONFLICT (name) DO NOTHING",
      3,
      {TEXTOID, TEXTOID, INT8OID}};
  const Datum values[] = {PointerGetDatum(name), PointerGetDatum(category),
                          Int64GetDatum(position)};
  const bool is_null[] = {false, category == nullptr, false};
  const pg::SpiSession spi = pg::SpiBegin();
  const bool created = pg::Execute(&insert, values, is_null) == 1;
  pg::SpiEnd(spi);
  if (created) return;
  ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
                  errmsg("subscription \"%s\" already exists", text_to_cstring(name)),
                  errhint("Set it to another position with events.reset_subscription.")));
}

// Never goes back: of two acknowledgements the further one counts, in whatever order they commit.
void Acknowledge(const Member& member, int64 position) {
  static pg::Statement upsert = {
      "INSERT INTO events.subscription_checkpoints AS c (name, members, member, position)"
      " VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (name, members, member) DO UPDATE SET position = excluded.position,"
      " updated_at = pg_catalog.clock_timestamp() WHERE c.position < excluded.position",
      4,
      {TEXTOID, INT4OID, INT4OID, INT8OID}};
  const Datum values[] = {PointerGetDatum(member.name), Int32GetDatum(member.members),
                          Int32GetDatum(member.member), Int64GetDatum(position)};
  const pg::SpiSession spi = pg::SpiBegin();
  pg::Execute(&upsert, values);
  pg::SpiEnd(spi);
}

void Reset(text* name, int64 position) {
  static pg::Statement update = {
      "UPDATE events.subscriptions SET position = $2 WHERE name = $1", 2, {TEXTOID, INT8OID}};
  // The row is locked FOR UPDATE first: whoever acknowledges holds it, and is waited for.
  static pg::Statement lock = {
      "SELECT 1 FROM events.subscriptions WHERE name = $1 FOR UPDATE", 1, {TEXTOID}};
  static pg::Statement forget = {
      "DELETE FROM events.subscription_checkpoints WHERE name = $1", 1, {TEXTOID}};
  const Datum values[] = {PointerGetDatum(name), Int64GetDatum(position)};
  const pg::SpiSession spi = pg::SpiBegin();
  const bool found = pg::Execute(&lock, values) == 1;
  if (found) {
    pg::Execute(&update, values);
    pg::Execute(&forget, values);
  }
  pg::SpiEnd(spi);
  if (!found) RefuseUnknown(name);
}

void Drop(text* name) {
  static pg::Statement drop = {"DELETE FROM events.subscriptions WHERE name = $1", 1, {TEXTOID}};
  const Datum values[] = {PointerGetDatum(name)};
  const pg::SpiSession spi = pg::SpiBegin();
  const bool found = pg::Execute(&drop, values) == 1;  // its checkpoints go with it
  pg::SpiEnd(spi);
  if (!found) RefuseUnknown(name);
}

// Until the transaction ends the subscription is neither dropped nor reset.
void Hold(text* name) {
  static pg::Statement hold = {
      "SELECT 1 FROM events.subscriptions WHERE name = $1 FOR KEY SHARE", 1, {TEXTOID}};
  const Datum values[] = {PointerGetDatum(name)};
  const pg::SpiSession spi = pg::SpiBegin();
  pg::Execute(&hold, values);
  pg::SpiEnd(spi);
}

// Who polls has mostly caught up: asked without a plan, it costs two looks at an index.
bool FindSubscription(text* name, Snapshot snapshot, Standing* standing) {
  Relation table = table_open(RelationOid("subscriptions"), AccessShareLock);
  Scan scan;
  scan.Begin(table, "subscriptions_pkey", snapshot);
  scan.Equal(name);
  const bool found = scan.Next(ForwardScanDirection);
  if (found) {
    bool all;
    const Datum category = slot_getattr(scan.slot(), kSubscriptionCategory, &all);
    standing->category = all ? nullptr : DatumGetTextPCopy(category);
    standing->position = DatumGetInt64(scan.Get(kSubscriptionPosition));
  }
  scan.End();
  table_close(table, AccessShareLock);
  return found;
}

// The member's own, or the lowest of a group of which every member has one, whichever is further.
int64 FurthestCheckpoint(const Member& member, Snapshot snapshot) {
  Relation table = table_open(RelationOid("subscription_checkpoints"), AccessShareLock);
  Scan scan;
  scan.Begin(table, "subscription_checkpoints_pkey", snapshot);  // (name, members, member)
  scan.Equal(member.name);
  int64 furthest = 0;
  int32 group = 0;
  int32 seen = 0;
  int64 lowest = 0;
  while (scan.Next(ForwardScanDirection)) {
    const int32 members = DatumGetInt32(scan.Get(kCheckpointMembers));
    const int64 reached = DatumGetInt64(scan.Get(kCheckpointPosition));
    const bool own =
        members == member.members && DatumGetInt32(scan.Get(kCheckpointMember)) == member.member;
    if (own) furthest = Max(furthest, reached);
    lowest = members == group ? Min(lowest, reached) : reached;
    seen = members == group ? seen + 1 : 1;
    group = members;
    if (seen == members) furthest = Max(furthest, lowest);
  }
  scan.End();
  table_close(table, AccessShareLock);
  return furthest;
}

}  // namespace

void RefuseUnknown(const text* name) {
  ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                  errmsg("subscription \"%s\" does not exist", text_to_cstring(name)),
                  errhint("Make it with events.create_subscription.")));
}

void RequireSettled(int64 position, int64 settled) {
  if (position <= settled) return;
  const int64 safe = SafePosition(settled, position - settled);
  if (position <= safe) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("position " INT64_FORMAT " is not settled", position),
                  errdetail("Only what is at or below " INT64_FORMAT " is settled for good.", safe),
                  errhint("Use a position that poll_subscription or safe_position has returned.")));
}

Member MemberArguments(FunctionCallInfo fcinfo, int member_argument) {
  pg::RequireNotNull(fcinfo, member_argument, "p_member");
  pg::RequireNotNull(fcinfo, member_argument + 1, "p_members");
  const Member member = {NameArgument(fcinfo), PG_GETARG_INT32(member_argument),
                         PG_GETARG_INT32(member_argument + 1)};
  if (member.member < 1 || member.member > member.members) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("there is no member %d of %d", member.member, member.members),
                    errhint("Members count from 1 to p_members.")));
  }
  return member;
}

Standing FindStanding(const Member& member, bool to_stay) {
  if (to_stay) Hold(member.name);
  const Snapshot snapshot = ReaderSnapshot();
  Standing standing = {nullptr, 0};
  const bool found = FindSubscription(member.name, snapshot, &standing);
  if (found) {
    standing.position = Max(standing.position, FurthestCheckpoint(member, snapshot));
  }
  UnregisterSnapshot(snapshot);
  if (!found) RefuseUnknown(member.name);
  return standing;
}

}  // namespace auren::events

AUREN_SQL_FUNCTION(events_create_subscription) {
  using namespace auren::events;
  text* name = NameArgument(fcinfo);
  const int64 position = PG_ARGISNULL(2) ? 0 : PositionArgument(fcinfo, 2, "p_after");
  RequireSettled(position, 0);
  Create(name, auren::pg::TextArgument(fcinfo, 1), position);
  PG_RETURN_VOID();
}

AUREN_SQL_FUNCTION(events_ack_subscription) {
  using namespace auren::events;
  const Member member = MemberArguments(fcinfo, 2);
  const int64 position = PositionArgument(fcinfo, 1, "p_position");
  const Standing standing = FindStanding(member, true);
  if (position <= standing.position) {
    ForgetRetried(member, position);
    PG_RETURN_VOID();
  }
  RequireSettled(position, standing.position);
  Acknowledge(member, position);
  PG_RETURN_VOID();
}

AUREN_SQL_FUNCTION(events_reset_subscription) {
  using namespace auren::events;
  text* name = NameArgument(fcinfo);
  const int64 position = PositionArgument(fcinfo, 1, "p_position");
  RequireSettled(position, 0);
  Reset(name, position);
  PG_RETURN_VOID();
}

AUREN_SQL_FUNCTION(events_drop_subscription) {
  using namespace auren::events;
  Drop(NameArgument(fcinfo));
  PG_RETURN_VOID();
}
