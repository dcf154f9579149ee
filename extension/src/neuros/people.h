// The persons with events, one after the other, and a replay of each.
#pragma once

#include "neuros/replay.h"
#include "postgres/backend.h"

namespace auren::neuros {

// Gets each person before their replay begins.
struct Visit {
  void (*begin)(void* self, text* user_id);
  Witness witness;
};

// Replays one person, or (nullptr) all of them in the order of their ids, under the caller's
// snapshot. The memory of a person goes before the next one comes. REQUIRES: within an SPI session.
void ReplayPeople(const ReplaySetting& setting, text* user_id, const Visit& visit);

// Replays one person's events up to a version of their stream.
void ReplayPerson(const ReplaySetting& setting, text* user_id, int64 up_to, Witness witness);

}  // namespace auren::neuros
