// Tamper evidence: with auren.hash_chain on, each event carries a hash over itself and the hash of
// the event before it in its stream. Who changes a stored event behind the triggers' back has to
// change every hash behind it, too, and cannot change the one that somebody keeps elsewhere.
//
// The hash is SHA-256 over these fields, each as its length in bytes in decimal, ":", its bytes and
// ","; a NULL is "-,". Text is UTF-8, whatever the database's encoding:
//
//   1  the predecessor's hash in lower case hex; NULL for the first event of the chain
//   2  stream id        5  event type            8  created by
//   3  version          6  event data as text    9  created at, in microseconds since 1970 UTC
//   4  event id         7  metadata as text
//
// A chain begins with the first event appended while the setting is on and then goes on whatever
// the setting says: so a NULL behind a hash is always a sign. The position is left out, so that
// events can be loaded into another store.
#pragma once

#include "events/store.h"

namespace auren::events {

// The hash of a row, its own `hash` left aside. `previous` nullptr: the chain begins here.
bytea* ChainedHash(const NewRow& row, const bytea* previous);

}  // namespace auren::events
