// The two calls of the extension that every way in shares: whose data it is, and taking it in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/outcome.h"
#include "postgres/connection.h"

namespace auren::ingest {

// Takes the deliveries in, JSON texts in the shape of docs/delivery.schema.json.
postgres::Statement IngestBatch(const std::vector<std::string_view>& deliveries);

// The answer of IngestBatch, one outcome for each of the `count` deliveries, in order.
std::optional<postgres::Error> ReadOutcomes(const postgres::Result& result, std::size_t count,
                                            std::vector<Outcome>* outcomes);

// The persons whom bridge.connections names for the providers' accounts, in order; empty where none
// is linked. REQUIRES: both lists are of one length.
std::optional<postgres::Error> ResolveUsers(
    postgres::Connection* connection, const std::vector<std::optional<std::string>>& providers,
    const std::vector<std::optional<std::string>>& provider_users, std::vector<std::string>* users);

}  // namespace auren::ingest
