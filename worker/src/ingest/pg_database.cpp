#include "ingest/pg_database.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace auren::ingest {
namespace {

using postgres::Param;
using postgres::Result;

constexpr char kIngest[] = "SELECT * FROM bridge.ingest_batch($1::jsonb[])";
// One row per pair, in order; NULL where no connection says whose data it is.
constexpr char kResolve[] =
    "SELECT u FROM unnest(bridge.resolve_users($1::text[], $2::text[])) WITH ORDINALITY AS t(u, n)"
    " ORDER BY n";

template <typename Number>
Number ToNumber(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Outcome Rejected(const Delivery& delivery, std::string_view code) {
  Outcome outcome;
  outcome.status = "rejected";
  outcome.readings_rejected = static_cast<int>(delivery.readings.size());
  outcome.problem = R"({"code":")" + std::string(code) + "\"}";
  return outcome;
}

// The columns by name: a newer extension may add some, an older one lack the later ones.
struct Columns {
  explicit Columns(const Result& r)
      : status(r.Column("status")),
        event_id(r.Column("event_id")),
        accepted(r.Column("readings_accepted")),
        rejected(r.Column("readings_rejected")),
        from_mode(r.Column("from_mode")),
        to_mode(r.Column("to_mode")),
        problem(r.Column("problem")),
        trigger(r.Column("trigger")),
        confidence(r.Column("confidence")),
        position(r.Column("position")),
        anomalies(r.Column("anomalies")) {}
  int status, event_id, accepted, rejected, from_mode, to_mode, problem, trigger, confidence,
      position, anomalies;
};

Outcome ReadRow(const Result& result, const Columns& columns, int row) {
  Outcome outcome;
  outcome.status = result.Get(row, columns.status);
  outcome.event_id = result.Get(row, columns.event_id);
  outcome.readings_accepted = ToNumber<int>(result.Get(row, columns.accepted));
  outcome.readings_rejected = ToNumber<int>(result.Get(row, columns.rejected));
  outcome.from_mode = result.Get(row, columns.from_mode);
  outcome.to_mode = result.Get(row, columns.to_mode);
  outcome.problem = result.Get(row, columns.problem);
  outcome.trigger = result.Get(row, columns.trigger);
  outcome.confidence = ToNumber<double>(result.Get(row, columns.confidence));
  outcome.position = ToNumber<std::int64_t>(result.Get(row, columns.position));
  outcome.anomalies = result.Get(row, columns.anomalies);
  return outcome;
}

BatchResult Failure(const Result& result) {
  return {{}, result.error().sqlstate, result.error().message};
}

}  // namespace

BatchResult PgDatabase::Ingest(const std::vector<const Delivery*>& deliveries) {
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
    const Result result =
        connection_.Execute(kResolve, {Param::Texts(providers), Param::Texts(provider_users)});
    if (!result.ok()) return Failure(result);
    if (result.rows() != static_cast<int>(asked.size())) {
      return {{}, "XX000", "bridge.resolve_users returned another number of users than was asked"};
    }
    for (int row = 0; row < result.rows(); ++row) {
      if (!result.IsNull(row, 0)) users[asked[static_cast<std::size_t>(row)]] = result.Get(row, 0);
    }
  }

  BatchResult batch;
  batch.outcomes.resize(deliveries.size());
  std::vector<std::string> texts;
  std::vector<std::size_t> sent;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    const Delivery& delivery = *deliveries[i];
    if (users[i].empty()) {
      batch.outcomes[i] = Rejected(delivery, "user_unresolved");
    } else if (!delivery.bound_user.empty() && delivery.bound_user != users[i]) {
      batch.outcomes[i] = Rejected(delivery, "user_mismatch");
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
  const Result result = connection_.Execute(kIngest, {Param::Jsonbs(views)});
  if (!result.ok()) return Failure(result);
  if (result.rows() != static_cast<int>(sent.size())) {
    return {{}, "XX000", "bridge.ingest_batch returned another number of rows than was sent"};
  }
  const Columns columns(result);
  for (int row = 0; row < result.rows(); ++row) {
    batch.outcomes[sent[static_cast<std::size_t>(row)]] = ReadRow(result, columns, row);
  }
  return batch;
}

}  // namespace auren::ingest
