// One page of the global order: what read_all, read_category and poll_subscription give out.
#pragma once

#include "postgres/backend.h"

namespace auren::events {

// What to read: the rows behind `after`, of one category or (nullptr) of all, at most `limit`, and
// of those only the streams of one member of a consumer group, without the positions set aside.
struct Request {
  text* category;
  int64 after;  // 0 or a settled position
  int64 limit;
  int32 member = 1;             // from 1
  int32 members = 1;            // 1: every stream
  const int64* skip = nullptr;  // ascending
  int skip_count = 0;
};

// The member of a group that reads a stream: the same everywhere and for ever, since checkpoints
// rely on it.
int32 MemberOf(const text* stream_id, int32 members);

// Puts the page into the function's result, as rows of the store.
Datum ReadInto(FunctionCallInfo fcinfo, const Request& request);

// Whether there may be anything to read. Sees what is not settled yet, too, and asks nobody.
bool AnythingFor(const Request& request);

// p_limit: SQL NULL is no limit; 22023 when negative.
int64 LimitArgument(FunctionCallInfo fcinfo, int argument);

}  // namespace auren::events
