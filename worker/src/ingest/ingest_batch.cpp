#include "ingest/ingest_batch.h"

namespace auren::ingest {
namespace {

using postgres::Error;
using postgres::Param;
using postgres::Result;

constexpr char kIngest[] = "SELECT * FROM bridge.ingest_batch($1::jsonb[])";
// One row per pair, in order; NULL where no connection says whose data it is.
constexpr char kResolve[] =
    "SELECT u FROM unnest(bridge.resolve_users($1::text[], $2::text[])) WITH ORDINALITY AS t(u, n)"
    " ORDER BY n";

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
  outcome.readings_accepted = result.Number<int>(row, columns.accepted);
  outcome.readings_rejected = result.Number<int>(row, columns.rejected);
  outcome.from_mode = result.Get(row, columns.from_mode);
  outcome.to_mode = result.Get(row, columns.to_mode);
  outcome.problem = result.Get(row, columns.problem);
  outcome.trigger = result.Get(row, columns.trigger);
  outcome.confidence = result.Number<double>(row, columns.confidence);
  outcome.position = result.Number<std::int64_t>(row, columns.position);
  outcome.anomalies = result.Get(row, columns.anomalies);
  return outcome;
}

}  // namespace

postgres::Statement IngestBatch(const std::vector<std::string_view>& deliveries) {
  return {kIngest, {Param::Jsonbs(deliveries)}};
}

std::optional<Error> ReadOutcomes(const Result& result, std::size_t count,
                                  std::vector<Outcome>* outcomes) {
  if (!result.ok()) return result.error();
  if (result.rows() != static_cast<int>(count)) {
    return Error{"XX000", "bridge.ingest_batch returned " + std::to_string(result.rows()) +
                              " rows for " + std::to_string(count) + " deliveries"};
  }
  const Columns columns(result);
  outcomes->clear();
  for (int row = 0; row < result.rows(); ++row) {
    outcomes->push_back(ReadRow(result, columns, row));
  }
  return std::nullopt;
}

std::optional<Error> ResolveUsers(postgres::Connection* connection,
                                  const std::vector<std::optional<std::string>>& providers,
                                  const std::vector<std::optional<std::string>>& provider_users,
                                  std::vector<std::string>* users) {
  const Result result =
      connection->Execute(kResolve, {Param::Texts(providers), Param::Texts(provider_users)});
  if (!result.ok()) return result.error();
  if (result.rows() != static_cast<int>(providers.size())) {
    return Error{"XX000", "bridge.resolve_users returned another number of users than was asked"};
  }
  users->clear();
  for (int row = 0; row < result.rows(); ++row) users->emplace_back(result.Get(row, 0));
  return std::nullopt;
}

}  // namespace auren::ingest
