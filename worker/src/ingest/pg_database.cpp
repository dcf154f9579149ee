#include "ingest/pg_database.h"

#include <optional>
#include <string_view>

#include "ingest/ingest_batch.h"
#include "ingest/refuse.h"

namespace auren::ingest {
namespace {

BatchResult Failure(const postgres::Error& error) { return {{}, error.sqlstate, error.message}; }

}  // namespace

BatchResult IngestOn(postgres::Connection& connection,
                     const std::vector<const Delivery*>& deliveries) {
  // Whose data: a row of bridge.connections wins over what the payload or the key says.
  std::vector<std::string> users;
  std::vector<std::optional<std::string>> providers, provider_users;
  std::vector<std::size_t> asked;
  for (const Delivery* delivery : deliveries) {
    users.push_back(delivery->user_id);
    if (delivery->provider_user.empty()) continue;
    asked.push_back(users.size() - 1);
    providers.emplace_back(delivery->provider);
    provider_users.emplace_back(delivery->provider_user);
  }
  if (!asked.empty()) {
    std::vector<std::string> linked;
    if (const auto error = ResolveUsers(&connection, providers, provider_users, &linked)) {
      return Failure(*error);
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (!linked[i].empty()) users[asked[i]] = std::move(linked[i]);
    }
  }

  BatchResult batch;
  batch.outcomes.resize(deliveries.size());
  std::vector<std::string> texts;
  std::vector<std::size_t> sent;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    const Delivery& delivery = *deliveries[i];
    if (users[i].empty()) {
      batch.outcomes[i] = Refuse(delivery, "user_unresolved");
    } else if (!delivery.bound_user.empty() && delivery.bound_user != users[i]) {
      batch.outcomes[i] = Refuse(delivery, "user_mismatch");
    } else {
      sent.push_back(i);
      if (users[i] == delivery.user_id) {
        texts.push_back(ToJson(delivery));
      } else {
        Delivery resolved = delivery;
        resolved.user_id = users[i];
        texts.push_back(ToJson(resolved));
      }
    }
  }
  if (sent.empty() && !deliveries.empty()) return batch;

  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const postgres::Statement ingest = IngestBatch(views);
  std::vector<Outcome> outcomes;
  if (const auto error =
          ReadOutcomes(connection.Execute(ingest.sql, ingest.params), sent.size(), &outcomes)) {
    return Failure(*error);
  }
  for (std::size_t i = 0; i < sent.size(); ++i) {
    Outcome& outcome = batch.outcomes[sent[i]];
    outcome = std::move(outcomes[i]);
    outcome.user_id = users[sent[i]];
    if (outcome.event_id.empty()) outcome.event_id = EventId(*deliveries[sent[i]]);
  }
  return batch;
}

}  // namespace auren::ingest
