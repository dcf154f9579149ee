// The steps of an append between the stream's lock and the insert, shared by the call for one event
// (append.cpp) and the call for many (appender.cpp).
#pragma once

#include "events/append.h"
#include "events/store.h"

namespace auren::events {

// Refuses bad names, sizes (22023, 22004, 54000) and expectations (22023), before any lock.
void CheckNewEvent(const NewEvent& event, int64 expected_version);

// Whether the event is stored already; then `first` is its first answer. UA002 when the id is taken
// by an event with other content, 40001 when this transaction's snapshot does not show it.
bool IsRepeated(Relation store, const NewEvent& event, Appended* first);

// Gives the event its place behind `tip`, draws its position and links it into the stream's hash
// chain: the row to insert. UA004 when the tip is a tombstone, UA001 when it is not at the expected
// version. `created_by`: who signs where the event does not say.
NewRow Place(const NewEvent& event, const Tip& tip, int64 expected_version, text* created_by);

// The stream's tip once `row` is in.
Tip TipAfter(const NewRow& row);

// The answer to whoever appended `row`.
Appended AnswerFor(const NewRow& row);

// The session user, who signs an event that names nobody.
text* SessionUser();

}  // namespace auren::events
