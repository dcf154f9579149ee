// Subscriptions: a name, what it follows, and how far each member of its consumer group has come.
//
// A checkpoint (name, member, members, position) says for good: of the streams that this member of
// so many reads, everything up to the position has been dealt with. So
//   - a whole group has dealt with everything up to the lowest checkpoint of its members;
//   - of the groups of different size that a subscription has had, the furthest counts;
//   - a new member starts there, or where it was itself if that is further. Nothing is left out.
// A group of which a member has not acknowledged yet is no further than the group before it.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "access/attnum.h"
}

namespace auren::events {

// The columns' numbers, fixed by extension/schema/events_subscriptions.sql.
enum SubscriptionColumn : AttrNumber { kSubscriptionCategory = 2, kSubscriptionPosition = 3 };
enum CheckpointColumn : AttrNumber {
  kCheckpointMembers = 2,
  kCheckpointMember = 3,
  kCheckpointPosition = 4,
};

struct Member {
  text* name;
  int32 member;   // 1 to members
  int32 members;  // from 1
};

// The arguments p_member and p_members, together with p_name, the first: 22004 for NULL, 22023 for
// a member that is not one.
Member MemberArguments(FunctionCallInfo fcinfo, int member_argument);

// Where a member of a subscription stands.
struct Standing {
  text* category;  // nullptr: all
  int64 position;  // its checkpoint
};

// 42704 when there is no such subscription. `to_stay`: until the transaction ends it is neither
// dropped nor reset.
Standing FindStanding(const Member& member, bool to_stay);

// Raises 42704 for a name that is none.
[[noreturn]] void RefuseUnknown(const text* name);

// Raises 22023 when not everything up to `position` is settled; `settled` is known to be.
void RequireSettled(int64 position, int64 settled);

}  // namespace auren::events
