#include "http/problem.h"

#include <stdexcept>

#include "ingest/json_text.h"

namespace auren::http {

const std::vector<ProblemCode>& ProblemCodes() {
  static const std::vector<ProblemCode> codes = {
      // whose and what
      {"bad_signature", 401, "The credential is wrong"},
      {"missing_header", 401, "A header that carries the credential is missing"},
      {"bad_timestamp", 401, "The signed timestamp cannot be read"},
      {"stale", 401, "The signed timestamp is outside the window"},
      {"user_mismatch", 403, "This key may not act for this user"},
      {"unknown_provider", 404, "There is no such provider"},
      {"not_found", 404, "There is nothing at this address"},
      {"method_not_allowed", 405, "This address does not know this method"},
      // the request itself
      {"malformed", 400, "The request cannot be read"},
      {"request_timeout", 408, "The request did not arrive in time"},
      {"length_required", 411, "The length of the body is not given"},
      {"too_large", 413, "The request is too large"},
      {"unsupported_type", 415, "The body's type or encoding is not accepted here"},
      {"wrong_shape", 422, "The body is not of a known shape"},
      {"no_usable_reading", 422, "Nothing in the body is a reading"},
      {"stream_tombstoned", 422, "The person's stream is closed for good"},
      {"user_unresolved", 422, "Nobody knows whose data this is"},
      {"event_id_conflict", 409, "This id was used for something else"},
      {"wrong_expected_version", 409, "The stream is at another version"},
      // not now
      {"rate_limited", 429, "Too many requests"},
      {"internal", 500, "Something went wrong here"},
      {"not_built", 501, "This is not built yet"},
      {"provider_not_configured", 503, "This provider has no secret configured"},
      {"queue_full", 503, "Too much is waiting"},
      {"deadline", 503, "The outcome was not known in time"},
      {"database_unavailable", 503, "PostgreSQL is not available"},
      {"broker_unavailable", 503, "The message broker is not available"},
  };
  return codes;
}

Response Problem(std::string_view code, std::string_view detail, int status, int retry_after,
                 std::string_view extra) {
  for (const ProblemCode& known : ProblemCodes()) {
    if (known.code != code) continue;
    Response response;
    response.status = status == 0 ? known.status : status;
    response.content_type = "application/problem+json";
    response.code = code;
    if (retry_after > 0) response.headers["Retry-After"] = std::to_string(retry_after);
    std::string& body = response.body;
    body = R"({"type":"urn:auren:problem:)";
    body.append(code).append(R"(","title":)");
    ingest::AppendJsonString(known.title, &body);
    body.append(",\"status\":").append(std::to_string(response.status)).append(",\"code\":");
    ingest::AppendJsonString(code, &body);
    if (!detail.empty()) {
      body.append(",\"detail\":");
      ingest::AppendJsonString(detail, &body);
    }
    if (!extra.empty()) body.append(",").append(extra);
    body.append("}\n");
    return response;
  }
  throw std::logic_error("problem code not in the closed list: " + std::string(code));
}

}  // namespace auren::http
