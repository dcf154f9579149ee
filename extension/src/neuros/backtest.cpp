// neuros.backtest: the switches that another configuration would have made.
#include "neuros/config_json.h"
#include "neuros/people.h"
#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::neuros {
namespace {

// Puts the switches of each person into the function's result.
struct Report {
  ReturnSetInfo* result;
  text* user_id;
  TimestampTz from;  // DT_NOBEGIN: from the first
  TimestampTz to;    // DT_NOEND: to the last
};

void Begin(void* self, text* user_id) { static_cast<Report*>(self)->user_id = user_id; }

void See(void* self, const ReplayedStep& step) {
  const Report& report = *static_cast<Report*>(self);
  if (!step.switches() || step.at < report.from || step.at >= report.to) return;
  Datum values[] = {PointerGetDatum(report.user_id),       TimestampTzGetDatum(step.at),
                    CStringGetTextDatum(step.before.mode), CStringGetTextDatum(step.after->mode),
                    CStringGetTextDatum(step.trigger),     Float8GetDatum(step.confidence)};
  bool is_null[lengthof(values)] = {};
  tuplestore_putvalues(report.result->setResult, report.result->setDesc, values, is_null);
}

TimestampTz TimeArgument(FunctionCallInfo fcinfo, int argument, TimestampTz absent) {
  return PG_ARGISNULL(argument) ? absent : PG_GETARG_TIMESTAMPTZ(argument);
}

}  // namespace
}  // namespace auren::neuros

AUREN_SQL_FUNCTION(neuros_backtest) {
  using namespace auren;
  InitMaterializedSRF(fcinfo, 0);
  const Jsonb* given = pg::JsonbArgument(fcinfo, 0);
  neuros::Report report = {reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), nullptr,
                           neuros::TimeArgument(fcinfo, 2, DT_NOBEGIN),
                           neuros::TimeArgument(fcinfo, 3, DT_NOEND)};
  const pg::SpiSession spi = pg::SpiBegin();
  auto* setting = static_cast<neuros::ReplaySetting*>(palloc0(sizeof(neuros::ReplaySetting)));
  setting->catalogue = biometrics::LoadCatalogue();
  if (given == nullptr) {
    setting->history.Load();
  } else {
    auto* config = static_cast<core::Config*>(palloc(sizeof(core::Config)));
    neuros::ReadConfig(given, config);
    setting->config = config;
  }
  neuros::ReplayPeople(*setting, pg::TextArgument(fcinfo, 1),
                       {neuros::Begin, {neuros::See, &report}});
  pg::SpiEnd(spi);
  return Datum{0};
}
