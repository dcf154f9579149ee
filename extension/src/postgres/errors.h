// AUREN's own SQLSTATEs, and how an error of the core becomes an error of PostgreSQL.
#pragma once

#include "core/status.h"
#include "postgres/backend.h"

// wrong_expected_version: the stream is not at the version the caller expected.
#define ERRCODE_AUREN_WRONG_EXPECTED_VERSION MAKE_SQLSTATE('U', 'A', '0', '0', '1')
// event_id_conflict: the id is taken by an event with other content.
#define ERRCODE_AUREN_EVENT_ID_CONFLICT MAKE_SQLSTATE('U', 'A', '0', '0', '2')
// events_are_immutable: an attempt to change or remove what is stored.
#define ERRCODE_AUREN_IMMUTABLE MAKE_SQLSTATE('U', 'A', '0', '0', '3')
// stream_tombstoned: the stream has had its last event.
#define ERRCODE_AUREN_TOMBSTONED MAKE_SQLSTATE('U', 'A', '0', '0', '4')

namespace auren::pg {

// Raises what `status` reports (22023, 53200 or XX000, message and hint as given); nothing when it
// is ok. The last act of a call into the core: nothing of C++ may need cleaning up behind it.
void ThrowIfError(const core::Status& status);

// Refuses SQL NULL for a required argument: 22004, naming it.
void RequireNotNull(FunctionCallInfo fcinfo, int argument, const char* name);

}  // namespace auren::pg
