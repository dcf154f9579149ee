// Any bytes, to any shipped device: no crash, no leak, and every delivery within its bounds.
//
//   cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DAUREN_FUZZ=ON
//         -DAUREN_SANITIZE=address,undefined,fuzzer-no-link
//   build/fuzz/tests/mapping_fuzz -max_total_time=60 build/corpus tests/data/wearables/payloads
#include <cstdlib>
#include <map>
#include <string>

#include "devices/device.h"
#include "devices/people.h"
#include "ingest/delivery.h"

namespace {

using auren::devices::Catalog;

const Catalog& Shipped() {
  static const auto* const catalog = [] {
    std::string error;
    auto* loaded =
        new std::shared_ptr<const Catalog>(Catalog::Load(AUREN_ROOT "/config/devices", &error));
    if (*loaded == nullptr) std::abort();
    return loaded;
  }();
  return **catalog;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  const std::map<std::string, std::string> none;
  auren::devices::Request request;
  request.method = "POST";
  request.headers = &none;
  request.query = &none;
  request.body = body;
  auren::devices::Verdict verdict;
  for (const std::string& provider : Shipped().providers()) {
    for (const char* user : {"", "bound"}) {
      verdict.bound_user = user;
      const auto mapped = Shipped().Find(provider)->Map(request, verdict);
      const bool refused = mapped.problem != auren::devices::Problem::kNone || mapped.ignored;
      if (refused != mapped.deliveries.empty()) std::abort();
      for (const auto& delivery : mapped.deliveries) {
        if (delivery.readings.empty() || delivery.user_id.empty()) std::abort();
        if (delivery.readings.size() > auren::devices::kMaxReadings) std::abort();
        if (delivery.readings.size() > 1 &&
            auren::ingest::ToJson(delivery).size() > auren::devices::kMaxDeliveryBytes) {
          std::abort();
        }
      }
    }
  }
  return 0;
}
