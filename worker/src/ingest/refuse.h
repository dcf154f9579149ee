// What becomes of a delivery that is refused before the database sees it, whichever way it came.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ingest/delivery.h"
#include "ingest/outcome.h"

namespace auren::ingest {

// `rejected`, with problem {"code": code}. `code`: of http/problem.cpp's list.
Outcome Refuse(const Delivery& delivery, std::string_view code);
// Of one that is not at hand any more: its event id, and how many readings it had.
Outcome Refuse(std::string event_id, std::size_t readings, std::string_view code);

}  // namespace auren::ingest
