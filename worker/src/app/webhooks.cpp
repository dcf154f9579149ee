#include "app/webhooks.h"

#include <algorithm>
#include <map>
#include <optional>

#include "app/answers.h"
#include "app/api_keys.h"
#include "app/body_checks.h"
#include "http/problem.h"
#include "http/text.h"
#include "ingest/json_text.h"
#include "ops/clock.h"
#include "ops/log.h"

namespace auren::app {
namespace {

using devices::Problem;
using devices::Verdict;

http::Response ProblemOf(Problem problem, const std::string& detail, int status = 0) {
  const int retry_after = problem == Problem::kProviderNotConfigured ? 300 : 0;
  return http::Problem(devices::Name(problem), detail, status, retry_after);
}

bool IsCredentialProblem(Problem problem) {
  return problem == Problem::kBadSignature || problem == Problem::kMissingHeader ||
         problem == Problem::kBadTimestamp || problem == Problem::kStale;
}

// How a refusal counts in auren_webhook_events_total.
const char* StatusOf(const http::Response& response) {
  switch (response.status) {
    case 400:
    case 405:
    case 408:
    case 411:
    case 415:
      return "malformed";
    case 401:
    case 403:
      return "unauthorized";
    case 413:
      return "too_large";
    case 429:
      return "limited";
    case 500:
    case 501:
    case 503:
      return "unavailable";
    default:
      return response.code == "bad_signature" ? "unauthorized" : "rejected";
  }
}

http::Response NotNow(ingest::Answer::Kind kind) {
  switch (kind) {
    case ingest::Answer::Kind::kQueueFull:
      return http::Problem("queue_full", "too much is waiting, send it again", 0, 1);
    case ingest::Answer::Kind::kDeadline:
      return http::Problem("deadline",
                           "it may or may not be stored; send it again with the same id", 0, 2);
    case ingest::Answer::Kind::kBrokerUnavailable:
      return http::Problem("broker_unavailable",
                           "it may or may not be stored; send it again with the same id", 0, 5);
    default:
      return http::Problem("database_unavailable",
                           "it may or may not be stored; send it again with the same id", 0, 5);
  }
}

// What helps to read a body again, as JSON: whose key it came with, and the headers that the device
// reads it by; no header that may hold a credential.
std::string ContextOf(const http::Request& request, const devices::Device& device,
                      const Verdict& verdict, const std::vector<ingest::Outcome>& outcomes) {
  std::map<std::string, std::string_view> parts;
  for (const std::string& name : device.mapping_headers()) parts[name] = request.Header(name);
  parts["content-type"] = request.Header("content-type");
  parts["trace_id"] = request.trace_id;
  parts["key_name"] = verdict.key_name;
  parts["bound_user"] = verdict.bound_user;
  std::string json = "{";
  for (const auto& [name, value] : parts) {
    if (value.empty() || !http::IsUtf8(value)) continue;
    if (json.size() > 1) json += ',';
    ingest::AppendJsonString(name, &json);
    json += ':';
    ingest::AppendJsonString(value, &json);
  }
  // And whose it is, for who asks what became of it.
  if (json.size() > 1) json += ',';
  return json + "\"users\":" + RejectedUsers(outcomes) + "}";
}

}  // namespace

void Webhooks::AddTo(http::Router* router) {
  const auto handler = [this](http::Request& request) { return Handle(request); };
  router->Add("POST|HEAD|GET", "/webhooks/{provider}", handler);
  router->Add("POST|HEAD|GET", "/webhooks/{provider}/{token}", handler);
}

http::Response Webhooks::Handle(http::Request& request) {
  Trail trail;
  metrics_->WebhookBegins();
  http::Response response;
  try {
    response = Receive(request, &trail);
  } catch (...) {
    metrics_->WebhookEnds();
    throw;  // the router answers 500
  }
  metrics_->WebhookEnds();
  Account(request, response, trail);
  return response;
}

http::Response Webhooks::Receive(http::Request& request, Trail* trail) {
  const ConfigPtr config = config_->get();
  const std::string& provider = request.params.at("provider");
  const devices::Device* device = config->catalog ? config->catalog->Find(provider) : nullptr;
  if (device == nullptr) {
    return http::Problem("unknown_provider", "docs/devices.md lists the providers");
  }
  trail->device_type = provider;

  const std::vector<std::string> methods = device->methods();
  if (std::find(methods.begin(), methods.end(), request.method) == methods.end()) {
    http::Response response = http::Problem("method_not_allowed", "not for this provider");
    std::string& allow = response.headers["Allow"];
    for (const std::string& method : methods) allow += (allow.empty() ? "" : ", ") + method;
    return response;
  }

  const auto failed_rate = ToRate(config->limits.failed_auth_per_address);
  const std::string address = "failed/" + request.remote_addr;
  if (const int wait = limiter_->Peek(address, failed_rate, trail->begin); wait > 0) {
    return http::Problem("rate_limited", "too many failed attempts from this address", 0, wait);
  }

  std::string body;
  if (request.method == "POST") {
    http::Response refusal;
    if (!request.body->Read({device->max_body_bytes(), device->accepts_form()}, &body, &refusal)) {
      return refusal;
    }
  }

  static const devices::Secrets kNone;
  const auto secrets = config->devices.find(provider);
  const auto token = request.params.find("token");
  const devices::Request raw{
      request.method,
      token == request.params.end() ? std::string_view() : std::string_view(token->second),
      &request.headers,
      &request.query,
      body,
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())};
  const Verdict verdict =
      device->Verify(raw, secrets == config->devices.end() ? kNone : secrets->second);
  if (verdict.kind == Verdict::Kind::kHandshake) {
    trail->status = "ignored";
    http::Response response;
    response.status = verdict.status;
    response.body = verdict.body;
    response.content_type = verdict.content_type.empty() ? "text/plain" : verdict.content_type;
    return response;
  }
  if (verdict.kind == Verdict::Kind::kReject) {
    if (IsCredentialProblem(verdict.problem)) limiter_->Take(address, failed_rate, trail->begin);
    return ProblemOf(verdict.problem, verdict.detail, verdict.status);
  }
  const int wait = limiter_->Take("webhook/" + provider + "/" + verdict.key_name,
                                  ToRate(config->limits.webhook_per_key), trail->begin);
  if (wait > 0) return http::Problem("rate_limited", "too many requests with this key", 0, wait);

  if (const auto wrong = CheckBody(body, !device->accepts_form())) {
    return http::Problem("malformed", *wrong);
  }
  devices::Mapped mapped = device->Map(raw, verdict);
  return Store(request, *device, verdict, std::move(mapped), body, *config, trail);
}

http::Response Webhooks::Store(const http::Request& request, const devices::Device& device,
                               const Verdict& verdict, devices::Mapped mapped,
                               const std::string& body, const config::Config& config,
                               Trail* trail) {
  trail->event_type = mapped.event_type;
  double patience = config.http.deadline_seconds;
  if (device.ack_deadline_seconds() > 0) {
    patience = std::min(patience, std::max(0.1, device.ack_deadline_seconds() - 0.5));
  }
  const Clock::time_point deadline = trail->begin + std::chrono::duration_cast<Clock::duration>(
                                                        std::chrono::duration<double>(patience));

  if (mapped.problem != Problem::kNone) {
    http::Response refusal = ProblemOf(mapped.problem, mapped.detail);
    if (refusal.status != 422) return refusal;
    return Keep(request, device, verdict, body, deadline,
                {refusal.code, mapped.detail, {}, std::move(refusal)});
  }
  if (mapped.ignored || mapped.deliveries.empty()) {
    trail->status = "ignored";
    http::Response response;
    response.body = "{\"status\":\"ignored\",\"event_id\":null,\"deliveries\":[]}\n";
    return response;
  }

  const std::string received_at = ops::Rfc3339(std::chrono::system_clock::now());
  for (ingest::Delivery& delivery : mapped.deliveries) {
    delivery.received_at = received_at;
    delivery.trace_id = request.trace_id;
    delivery.provider = device.provider();
    delivery.bound_user = verdict.bound_user;
    if (delivery.key_name.empty()) delivery.key_name = verdict.key_name;
    trail->readings += static_cast<double>(delivery.readings.size());
  }
  trail->user_id = mapped.deliveries[0].user_id;
  trail->event_id = ingest::EventId(mapped.deliveries[0].source, mapped.deliveries[0].delivery_id);

  const ingest::Answer answer = sink_->Submit(std::move(mapped.deliveries), deadline);
  if (answer.kind != ingest::Answer::Kind::kDone) return NotNow(answer.kind);

  http::Response response = AnswerOf(answer.outcomes, device.success_status());
  if (response.status / 100 == 2) trail->status = WeakestStatus(answer.outcomes);
  const bool rejected = WeakestStatus(answer.outcomes) == "rejected";
  if (!rejected || response.status == 403) return response;
  // Also when only a part was rejected: its sender was told 2xx and will not send it again.
  return Keep(request, device, verdict, body, deadline,
              {RejectionCode(answer.outcomes), RejectionDetail(answer.outcomes), answer.outcomes,
               std::move(response)});
}

// Keeps an authenticated body before it is answered for good; if that fails it must come again.
http::Response Webhooks::Keep(const http::Request& request, const devices::Device& device,
                              const Verdict& verdict, const std::string& body,
                              Clock::time_point deadline, Refusal refusal) {
  using postgres::Param;
  const std::string headers = ContextOf(request, device, verdict, refusal.outcomes);
  const postgres::Result kept = pool_->Execute(
      deadline,
      "SELECT bridge.add_dead_letter(p_topic => $1, p_value => $2, p_reason => $3,"
      " p_headers => $4::text::jsonb, p_detail => $5, p_event_ids => nullif($6::uuid[], '{}'))",
      {Param::Text(kBodyTopic + device.provider()), Param::Bytes(body), Param::Text(refusal.reason),
       Param::Text(headers), refusal.detail.empty() ? Param::Null() : Param::Text(refusal.detail),
       Param::Texts(RejectedIds(refusal.outcomes))});
  if (kept.ok()) {
    metrics_->DeadLetter(refusal.reason);
    return std::move(refusal.answer);
  }
  ops::log::Warn("webhooks", "a refused body could not be kept",
                 {{"provider", device.provider()},
                  {"trace_id", request.trace_id},
                  {"sqlstate", kept.error().sqlstate},
                  {"error", kept.error().message}});
  return http::Problem("database_unavailable", "what was refused could not be kept; send it again",
                       0, 5);
}

void Webhooks::Account(const http::Request& request, const http::Response& response,
                       const Trail& trail) {
  const double seconds = std::chrono::duration<double>(Clock::now() - trail.begin).count();
  const bool refused = !response.code.empty();
  const std::string status = refused || trail.status.empty() ? StatusOf(response) : trail.status;
  metrics_->WebhookAnswered(trail.device_type, trail.event_type, status, seconds);
  if (!refused && trail.device_type == "healthkit") {
    metrics_->HealthkitBatch(trail.readings, seconds);
  }
  const auto log = refused ? ops::log::Warn : ops::log::Debug;
  log("webhooks", refused ? "refused" : "answered",
      {{"trace_id", request.trace_id},
       {"route", request.route},
       {"provider", trail.device_type},
       {"status", response.status},
       {"code", response.code},
       {"duration_ms", seconds * 1000},
       {"user_h", ops::log::UserHash(trail.user_id)},
       {"event_id", trail.event_id}});
}

}  // namespace auren::app
