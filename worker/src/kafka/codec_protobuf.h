// The Protobuf form of a delivery (proto/auren/v1/delivery.proto), to and from its JSON.
#pragma once

#include <string>
#include <string_view>

#include "ingest/delivery.h"

namespace auren::kafka {

std::string ToProtobuf(const ingest::Delivery& delivery);

// The JSON that the same delivery would be. False, with `error` set, for bytes that are no Delivery
// and for readings whose `json` is not one JSON document. The text is not checked beyond that: what
// PostgreSQL cannot store may be in it.
bool JsonOfProtobuf(std::string_view bytes, std::string* json, std::string* error);

}  // namespace auren::kafka
