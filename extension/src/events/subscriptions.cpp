// events.create_subscription, ack_subscription, reset_subscription, drop_subscription.
#include "events/subscriptions.h"

#include "events/by_name.h"
#include "events/horizon.h"
#include "events/parking.h"
#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
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

Datum Attribute(const ByName& rows, AttrNumber column) {
  bool is_null;
  return slot_getattr(rows.slot, column, &is_null);
}

// The furthest of the member's own checkpoint and what each group has dealt with as a whole; 0 when
// there is none.
int64 Furthest(const Member& member, Snapshot snapshot) {
  int64 furthest = 0;
  struct {
    int32 members;
    int32 acknowledged;
    int64 lowest;
  } group = {0, 0, 0};
  const ByName rows = BeginByName(kCheckpoints, member.name, snapshot);
  while (Next(rows)) {  // one group after the other
    const int32 members = DatumGetInt32(Attribute(rows, kCheckpointMembers));
    const int64 position = DatumGetInt64(Attribute(rows, kCheckpointPosition));
    if (members != group.members) group = {members, 0, position};
    group.lowest = Min(group.lowest, position);
    if (++group.acknowledged == members) furthest = Max(furthest, group.lowest);
    const bool own = members == member.members &&
                     DatumGetInt32(Attribute(rows, kCheckpointMember)) == member.member;
    if (own) furthest = Max(furthest, position);
  }
  End(rows);
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
  Standing standing = {nullptr, 0};
  const Snapshot snapshot = ReaderSnapshot();  // one: a reset changes both tables
  const ByName rows = BeginByName(kSubscriptions, member.name, snapshot);
  const bool found = Next(rows);
  if (found) {
    bool all;
    const Datum category = slot_getattr(rows.slot, kSubscriptionCategory, &all);
    if (!all) standing.category = DatumGetTextPCopy(category);
    standing.position = DatumGetInt64(Attribute(rows, kSubscriptionPosition));
  }
  End(rows);
  if (!found) RefuseUnknown(member.name);
  standing.position = Max(standing.position, Furthest(member, snapshot));
  UnregisterSnapshot(snapshot);
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
