// The answer to a webhook whose deliveries have their outcome, and what is kept of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/message.h"
#include "ingest/delivery.h"
#include "ingest/outcome.h"

namespace auren::app {

// The weakest of them: rejected < queued < duplicate < applied. REQUIRES: not empty.
std::string WeakestStatus(const std::vector<ingest::Outcome>& outcomes);

bool AllRejected(const std::vector<ingest::Outcome>& outcomes);

// The code of the first rejected outcome's problem: one of the closed list, or sql_error.
std::string RejectionCode(const std::vector<ingest::Outcome>& outcomes);

// What that problem says in words; empty when it says nothing.
std::string RejectionDetail(const std::vector<ingest::Outcome>& outcomes);

// The event ids of the rejected ones, and whose they are, as JSON: {"<event id>": "<user>"}.
std::vector<std::optional<std::string>> RejectedIds(const std::vector<ingest::Outcome>& outcomes);
std::string RejectedUsers(const std::vector<ingest::Outcome>& outcomes);

// {"status","event_id","deliveries":[...]}; with all rejected a problem of 422 (403 for
// user_mismatch) that holds the deliveries too. `success` is the device's own status.
http::Response AnswerOf(const std::vector<ingest::Outcome>& outcomes, int success);

}  // namespace auren::app
