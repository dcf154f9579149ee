// events.poll_subscription: what a member has not acknowledged yet. Writes nothing.
#include "events/parking.h"
#include "events/reading.h"
#include "events/subscriptions.h"

AUREN_SQL_FUNCTION(events_poll_subscription) {
  using namespace auren::events;
  const Member member = MemberArguments(fcinfo, 2);
  const int64 limit = LimitArgument(fcinfo, 1);
  const Standing standing = FindStanding(member, false);
  const Parked parked = FindParked(member, standing.position);
  if (parked.retry != 0 && limit > 0) return ReadInto(fcinfo, {nullptr, parked.retry - 1, 1});
  const Request request = {standing.category, standing.position, limit,       member.member,
                           member.members,    parked.positions,  parked.count};
  // Looked for first: who has caught up with a rare category need not know how far others are.
  if (!AnythingFor(request)) {
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    return Datum{0};
  }
  return ReadInto(fcinfo, request);
}
