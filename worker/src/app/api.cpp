#include "app/api.h"

#include <cctype>

#include "app/openapi.h"
#include "http/problem.h"
#include "http/text.h"
#include "ops/log.h"
#include "postgres/sqlstate.h"

namespace auren::app {
namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point DeadlineOf(const config::Config& config) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(config.http.deadline_seconds));
}

// A person nobody has heard of is in baseline, since never.
constexpr char kMode[] =
    "SELECT json_build_object('user_id', $1::text, 'mode', m.mode, 'behavior', b.behavior,"
    " 'since', u.since, 'confidence', u.confidence, 'trigger', u.trigger, 'position', u.position)"
    " FROM (SELECT neuros.current_mode($1::text) AS mode) m"
    " LEFT JOIN neuros.user_modes u ON u.user_id = $1::text"
    " LEFT JOIN neuros.modes b ON b.mode = m.mode";

// What the caller may see of a delivery: $2 is the user it is bound to, empty for everybody's. The
// function gives the strongest row first.
constexpr char kDelivery[] =
    "SELECT json_strip_nulls(json_build_object('event_id', $1::uuid, 'status', d.status,"
    " 'user_id', d.user_id, 'position', d.position, 'received_at', d.received_at,"
    " 'readings_accepted', d.readings_accepted, 'readings_rejected', d.readings_rejected,"
    " 'problems', d.problems))"
    " FROM bridge.find_delivery($1::uuid) d WHERE $2 = '' OR d.user_id = $2 LIMIT 1";

// The form that answers give ids in, in any case.
bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0)
      return false;
  }
  return true;
}

http::Response DatabaseProblem(const http::Request& request, const postgres::Error& error) {
  ops::log::Warn("api", "a query failed",
                 {{"route", request.route},
                  {"trace_id", request.trace_id},
                  {"sqlstate", error.sqlstate},
                  {"error", error.message}});
  switch (postgres::Classify(error.sqlstate)) {
    case postgres::Action::kPoison:
      return http::Problem("malformed", "PostgreSQL cannot take this value");
    case postgres::Action::kHalve:
      return http::Problem("deadline", "the query took too long", 0, 2);
    default:
      return http::Problem("database_unavailable", "try again", 0, 2);
  }
}

}  // namespace

void Api::AddTo(http::Router* router) {
  router->Add("GET|HEAD", "/api/v1/users/{id}/mode", [this](http::Request& r) { return Mode(r); });
  router->Add("GET|HEAD", "/api/v1/deliveries/{event_id}",
              [this](http::Request& r) { return Delivery(r); });
  const auto not_built = [this](http::Request& r) { return NotBuilt(r); };
  for (const char* route :
       {"/api/v1/users/{id}/metrics/daily", "/api/v1/users/{id}/connections",
        "/api/v1/users/{id}/context", "/api/v1/streams/{id}/state", "/api/v1/streams/state"}) {
    router->Add("GET|HEAD", route, not_built);
  }
  router->Add("GET|HEAD|POST", "/api/v1/streams/{id}/events", not_built);
  router->Add("GET|HEAD|POST", "/api/v1/streams/events", not_built);
  router->Add("GET|HEAD", "/openapi.json", [](http::Request&) {
    http::Response response;
    response.body = OpenApiJson();
    return response;
  });
}

http::Response Api::Mode(http::Request& request) {
  const Clock::time_point deadline = DeadlineOf(*config_->get());
  http::Response refusal;
  const auto caller = keys_->Authenticate(request, deadline, &refusal);
  if (!caller) return refusal;
  const std::string& user = request.params.at("id");
  if (!caller->bound_user.empty() && caller->bound_user != user) {
    return http::Problem("user_mismatch", "this key is bound to another user");
  }
  const postgres::Result result = pool_->Execute(deadline, kMode, {postgres::Param::Text(user)});
  if (!result.ok()) return DatabaseProblem(request, result.error());
  ops::log::Debug("api", "mode asked",
                  {{"route", request.route},
                   {"trace_id", request.trace_id},
                   {"user_h", ops::log::UserHash(user)},
                   {"status", 200}});
  http::Response response;
  response.body = std::string(result.Get(0, 0)) + "\n";
  return response;
}

http::Response Api::Delivery(http::Request& request) {
  const Clock::time_point deadline = DeadlineOf(*config_->get());
  http::Response refusal;
  const auto caller = keys_->Authenticate(request, deadline, &refusal);
  if (!caller) return refusal;
  const std::string& event_id = request.params.at("event_id");
  if (!IsUuid(event_id)) return http::Problem("malformed", "the event id is not a UUID", 422);
  const postgres::Result result =
      pool_->Execute(deadline, kDelivery,
                     {postgres::Param::Text(event_id), postgres::Param::Text(caller->bound_user)});
  if (!result.ok()) return DatabaseProblem(request, result.error());
  http::Response response;
  if (result.rows() > 0) {
    response.body = std::string(result.Get(0, 0)) + "\n";
    return response;
  }
  // Not a problem: the question was good, and this is its answer.
  response.status = 404;
  response.body = R"({"event_id":")" + http::Lower(event_id) +
                  R"(","status":"unknown","readings_accepted":0,"readings_rejected":0,)"
                  R"("problems":[]})"
                  "\n";
  return response;
}

http::Response Api::NotBuilt(http::Request& request) {
  http::Response refusal;
  if (!keys_->Authenticate(request, DeadlineOf(*config_->get()), &refusal)) return refusal;
  return http::Problem("not_built", "this route is in the contract and will come");
}

}  // namespace auren::app
