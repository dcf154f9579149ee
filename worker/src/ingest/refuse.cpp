#include "ingest/refuse.h"

#include <utility>

namespace auren::ingest {

Outcome Refuse(const Delivery& delivery, std::string_view code) {
  return Refuse(EventId(delivery), delivery.readings.size(), code);
}

Outcome Refuse(std::string event_id, std::size_t readings, std::string_view code) {
  Outcome outcome;
  outcome.status = "rejected";
  outcome.event_id = std::move(event_id);
  outcome.readings_rejected = static_cast<int>(readings);
  outcome.problem = R"({"code":")" + std::string(code) + "\"}";
  return outcome;
}

}  // namespace auren::ingest
