#include "app/answers.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "http/problem.h"

namespace auren::app {
namespace {

using Json = nlohmann::ordered_json;

int Strength(const std::string& status) {
  constexpr std::array<std::string_view, 4> kOrder = {"rejected", "queued", "duplicate", "applied"};
  return static_cast<int>(std::find(kOrder.begin(), kOrder.end(), status) - kOrder.begin());
}

// The database gives one problem or a list of them; the answer always holds a list.
Json Problems(const std::string& text) {
  Json problems = text.empty() ? Json::array() : Json::parse(text, nullptr, false);
  if (problems.is_discarded() || problems.is_null()) return Json::array();
  return problems.is_array() ? problems : Json::array({problems});
}

Json Describe(const ingest::Outcome& outcome) {
  Json delivery;
  delivery["event_id"] = outcome.event_id.empty() ? Json() : Json(outcome.event_id);
  delivery["status"] = outcome.status;
  delivery["readings_accepted"] = outcome.readings_accepted;
  delivery["readings_rejected"] = outcome.readings_rejected;
  delivery["problems"] = Problems(outcome.problem);
  return delivery;
}

// The first problem of the first rejected outcome that has a text of this name.
std::optional<std::string> FirstText(const std::vector<ingest::Outcome>& outcomes,
                                     const char* name) {
  for (const ingest::Outcome& outcome : outcomes) {
    if (outcome.status != "rejected") continue;
    for (const Json& problem : Problems(outcome.problem)) {
      if (problem.is_object() && problem.contains(name) && problem[name].is_string()) {
        return problem[name].get<std::string>();
      }
    }
  }
  return std::nullopt;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string WeakestStatus(const std::vector<ingest::Outcome>& outcomes) {
  return std::min_element(
             outcomes.begin(), outcomes.end(),
             [](const auto& a, const auto& b) { return Strength(a.status) < Strength(b.status); })
      ->status;
}

bool AllRejected(const std::vector<ingest::Outcome>& outcomes) {
  return std::all_of(outcomes.begin(), outcomes.end(),
                     [](const auto& outcome) { return outcome.status == "rejected"; });
}

std::string RejectionCode(const std::vector<ingest::Outcome>& outcomes) {
  return FirstText(outcomes, "code").value_or("no_usable_reading");
}

std::string RejectionDetail(const std::vector<ingest::Outcome>& outcomes) {
  return FirstText(outcomes, "detail").value_or("");
}

std::vector<std::optional<std::string>> RejectedIds(const std::vector<ingest::Outcome>& outcomes) {
  std::vector<std::optional<std::string>> ids;
  for (const ingest::Outcome& outcome : outcomes) {
    if (outcome.status == "rejected" && !outcome.event_id.empty())
      ids.emplace_back(outcome.event_id);
  }
  return ids;
}

std::string RejectedUsers(const std::vector<ingest::Outcome>& outcomes) {
  Json users = Json::object();
  for (const ingest::Outcome& outcome : outcomes) {
    if (outcome.status == "rejected" && !outcome.user_id.empty()) {
      users[outcome.event_id] = outcome.user_id;
    }
  }
  return Dump(users);
}

http::Response AnswerOf(const std::vector<ingest::Outcome>& outcomes, int success) {
  Json deliveries = Json::array();
  for (const ingest::Outcome& outcome : outcomes) deliveries.push_back(Describe(outcome));

  if (AllRejected(outcomes)) {
    std::string code = RejectionCode(outcomes);
    const auto& known = http::ProblemCodes();
    const bool listed = std::any_of(known.begin(), known.end(),
                                    [&](const auto& problem) { return problem.code == code; });
    if (!listed)
      code = "wrong_shape";  // PostgreSQL's own refusal: its SQLSTATE is among the problems
    return http::Problem(code, "nothing of it was stored; each delivery says why",
                         code == "user_mismatch" ? 403 : 422, 0,
                         "\"deliveries\":" + Dump(deliveries));
  }
  Json body;
  body["status"] = WeakestStatus(outcomes);
  body["event_id"] = deliveries[0]["event_id"];
  body["deliveries"] = std::move(deliveries);
  http::Response response;
  response.status = success;
  response.body = Dump(body) + "\n";
  return response;
}

}  // namespace auren::app
