#include "ingest/refuse.h"

#include <string>

namespace auren::ingest {

Outcome Refuse(const Delivery& delivery, std::string_view code) {
  Outcome outcome;
  outcome.status = "rejected";
  outcome.event_id = EventId(delivery);
  outcome.readings_rejected = static_cast<int>(delivery.readings.size());
  outcome.problem = R"({"code":")" + std::string(code) + "\"}";
  return outcome;
}

}  // namespace auren::ingest
