// A round: deliveries of different persons, taken in together.
#pragma once

#include "biometrics/catalogue.h"
#include "bridge/answer.h"
#include "neuros/config.h"

namespace auren::bridge {

// What all rounds of a call share.
struct Shared {
  TimestampTz now;
  biometrics::Catalogue catalogue;
  neuros::ActiveConfig config;
};

// Takes in `count` sound deliveries, each of another person, and writes the answers. A statement
// runs once for all of them, or not at all where none needs it. REQUIRES: within an SPI session of
// the round's own, with whose end its memory goes; `answers` lie in the memory context that was
// current before it. Under the locks of the persons' streams.
void TakeRound(const Shared& shared, const Delivery* const* deliveries, Answer* const* answers,
               int count);

}  // namespace auren::bridge
