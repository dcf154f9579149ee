// Judging deliveries: their readings become observations, the engine decides, the decisions are
// carried out.
#pragma once

#include "biometrics/catalogue.h"
#include "bridge/arrival.h"
#include "neuros/config.h"

namespace auren::bridge {

// Fills in each arrival's `judgement` and its state's `calm`, and marks the readings whose z-score
// is anomalous. Each arrival is of another person. REQUIRES: after their readings are stored;
// within an SPI session, under the locks of the persons' streams.
void Judge(const neuros::ActiveConfig& config, const biometrics::Catalogue& catalogue,
           Arrival* arrivals, int count);

}  // namespace auren::bridge
