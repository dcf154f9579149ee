// The versions at which this connection last saw streams: where a search for the newest one may
// end.
//
// An index scan that looks for the newest version of a stream reads all of the stream's entries on
// the last page, a hundred and more; with a lower bound it reads those above it. What is remembered
// is a hint and no more: it may be of another stream, or of an event that was rolled back, and then
// nothing is found and the search is made again without it.
#pragma once

#include "postgres/backend.h"

namespace auren::events {

// 0: not remembered.
int64 LastSeen(const text* stream_id);

void NoteSeen(const text* stream_id, int64 version);

}  // namespace auren::events
