#include "devices/people.h"

#include <algorithm>
#include <iterator>

namespace auren::devices {
namespace {

using ingest::Delivery;
using ingest::Reading;

// Length as a JSON string, quotes included; the same escapes as ingest/json_text.
std::size_t JsonSize(std::string_view text) {
  std::size_t size = 2;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    size += byte < 0x20 ? 6 : (c == '"' || c == '\\' ? 2 : 1);
  }
  return size;
}

// An upper bound of the reading's length as JSON.
std::size_t JsonSize(const Reading& reading) {
  constexpr std::size_t kKeysAndCommas = 160;
  std::size_t size = kKeysAndCommas + reading.value.size();
  for (const std::string* text :
       {&reading.metric, &reading.unit, &reading.start, &reading.end, &reading.statistic,
        &reading.context, &reading.source, &reading.external_id}) {
    size += JsonSize(*text);
  }
  for (const std::string& flag : reading.flags) size += JsonSize(flag) + 1;
  return size;
}

std::vector<Person> Merge(std::vector<Person> people) {
  std::vector<Person> merged;
  for (Person& person : people) {
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const Person& other) {
      return other.user_id == person.user_id;
    });
    if (same == merged.end()) {
      merged.push_back(std::move(person));
    } else {
      std::move(person.readings.begin(), person.readings.end(), std::back_inserter(same->readings));
    }
  }
  return merged;
}

}  // namespace

std::vector<Delivery> ToDeliveries(std::string_view source, std::string_view key,
                                   std::string_view key_name, std::vector<Person> people) {
  constexpr std::size_t kEnvelope = 4096;  // ids and names around the readings
  std::vector<Delivery> deliveries;
  for (Person& person : Merge(std::move(people))) {
    std::size_t bytes = 0;
    bool open = false;  // may the last delivery take more of this person's?
    for (Reading& reading : person.readings) {
      const std::size_t size = JsonSize(reading);
      if (!open || deliveries.back().readings.size() >= kMaxReadings ||
          bytes + size > kMaxDeliveryBytes) {
        Delivery& delivery = deliveries.emplace_back();
        delivery.source = source;
        delivery.delivery_id = key;
        delivery.user_id = person.user_id;
        delivery.provider_user = person.provider_user;
        delivery.event_type = person.event_type;
        delivery.key_name = key_name;
        bytes = kEnvelope;
        open = true;
      }
      bytes += size;
      deliveries.back().readings.push_back(std::move(reading));
    }
  }
  if (deliveries.size() > 1) {
    for (std::size_t i = 0; i < deliveries.size(); ++i) {
      deliveries[i].delivery_id += "#" + std::to_string(i);
    }
  }
  return deliveries;
}

}  // namespace auren::devices
