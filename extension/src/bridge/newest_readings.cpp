// neuros.newest_readings: what a decision would now be told of what came before.
#include "bridge/person_state.h"
#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "utils/date.h"
}

namespace auren::bridge {
namespace {

Datum TextDatum(std::string_view value) { return PointerGetDatum(pg::Text(value)); }

void PutReading(ReturnSetInfo* result, const NewestOf& newest) {
  Datum values[] = {TextDatum(newest.device),          TextDatum(newest.metric),
                    TimestampTzGetDatum(newest.start), TimestampTzGetDatum(newest.end),
                    Float8GetDatum(newest.value),      DateADTGetDatum(newest.day),
                    TextDatum(newest.source),          TextDatum(newest.statistic),
                    TextDatum(newest.context)};
  bool is_null[] = {false,
                    false,
                    false,
                    !newest.has_end,
                    false,
                    false,
                    newest.source.empty(),
                    newest.statistic.empty(),
                    newest.context.empty()};
  tuplestore_putvalues(result->setResult, result->setDesc, values, is_null);
}

}  // namespace
}  // namespace auren::bridge

AUREN_SQL_FUNCTION(neuros_newest_readings) {
  using namespace auren;
  pg::RequireNotNull(fcinfo, 0, "p_user_id");
  bridge::Delivery delivery = {};
  delivery.user_id = pg::TextArgument(fcinfo, 0);
  bridge::Arrival arrival = {};
  arrival.delivery = &delivery;
  arrival.position_before = PG_INT64_MAX;
  InitMaterializedSRF(fcinfo, 0);
  const pg::SpiSession spi = pg::SpiBegin();
  bridge::LoadStates(&arrival, 1);
  for (const bridge::NewestOf& newest : arrival.state.before) {
    bridge::PutReading(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), newest);
  }
  pg::SpiEnd(spi);
  return Datum{0};
}
