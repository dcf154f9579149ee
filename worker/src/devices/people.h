// From readings to deliveries: one per user, none larger than what one record and one event hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/delivery.h"

namespace auren::devices {

inline constexpr std::size_t kMaxReadings = 1000;
inline constexpr std::size_t kMaxDeliveryBytes = 512 << 10;

// What a body says of one person.
struct Person {
  std::string user_id;
  std::string provider_user;  // the id in the payload, when there is one
  std::string event_type;
  std::vector<ingest::Reading> readings;
};

// Persons of the same id are one; persons without readings have nothing to say. The delivery id is
// `key`, or "<key>#0", "<key>#1" ... when several come out.
std::vector<ingest::Delivery> ToDeliveries(std::string_view source, std::string_view key,
                                           std::string_view key_name, std::vector<Person> people);

}  // namespace auren::devices
