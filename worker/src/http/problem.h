// application/problem+json (RFC 9457): the only shape in which this server says no.
//
// `code` is from one closed list, documented in docs/openapi.yaml. `detail` is written for people
// and never holds an exception's text, a secret or a payload.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace auren::http {

struct ProblemCode {
  std::string_view code;
  int status;              // the usual one; a caller may give another
  std::string_view title;  // the same for every occurrence
};

// The closed list.
const std::vector<ProblemCode>& ProblemCodes();

// REQUIRES: `code` is in the list. `status` 0: the usual one. `retry_after` in seconds, 0: no
// header. `extra` is JSON members to add, such as "\"event_id\":\"...\"", or empty.
Response Problem(std::string_view code, std::string_view detail, int status = 0,
                 int retry_after = 0, std::string_view extra = {});

}  // namespace auren::http
