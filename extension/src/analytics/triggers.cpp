// The triggers that mark what plain SQL has touched in biometric_events, by the rules of
// analytics/touched.h. In SQL, since a COPY may touch more groups than a connection should hold.
#include "analytics/touched.h"
#include "postgres/errors.h"
#include "postgres/spi.h"

extern "C" {
#include "commands/trigger.h"
}

namespace auren::analytics {
namespace {

// Marks the groups that a query names, each once, unless a mark is there that can be relied upon.
// $1: do not look. A snapshot that is older than the statement may show marks that are gone, and
// locking one of those would be a serialization failure where there is no conflict.
#define MARK(groups)                                                            \
  {                                                                             \
    "INSERT INTO analytics.touched_days (user_id, day, metric_types)"           \
    " SELECT t.user_id, t.day, array_agg(t.metric_type ORDER BY t.metric_type)" \
    "  FROM (" groups                                                           \
    ") t"                                                                       \
    " WHERE $1 OR NOT EXISTS (SELECT FROM analytics.touched_days d"             \
    "   WHERE d.user_id = t.user_id AND d.day = t.day"                          \
    "     AND t.metric_type = ANY (d.metric_types) FOR KEY SHARE SKIP LOCKED)"  \
    " GROUP BY t.user_id, t.day",                                               \
        1, {                                                                    \
      BOOLOID                                                                   \
    }                                                                           \
  }

pg::Statement mark_inserted = MARK("SELECT DISTINCT user_id, metric_type, day FROM new_readings");
pg::Statement mark_deleted = MARK("SELECT DISTINCT user_id, metric_type, day FROM old_readings");
pg::Statement mark_updated = MARK(
    "SELECT user_id, metric_type, day FROM old_readings"
    " UNION SELECT user_id, metric_type, day FROM new_readings");

// A TRUNCATE says nothing of what it takes away; but only what is stored can now be wrong.
pg::Statement mark_stored = MARK(
    "SELECT DISTINCT user_id, split_part(metric_type, ':', 1) AS metric_type, day"
    " FROM analytics.user_metrics_daily");

pg::Statement* StatementFor(TriggerEvent event) {
  if (TRIGGER_FIRED_BY_INSERT(event)) return &mark_inserted;
  if (TRIGGER_FIRED_BY_UPDATE(event)) return &mark_updated;
  if (TRIGGER_FIRED_BY_DELETE(event)) return &mark_deleted;
  return &mark_stored;
}

void MarkChanged(TriggerData* trigger) {
  if (TouchedGroups::IsCollecting()) return;
  const pg::SpiSession spi = pg::SpiBegin();
  const int result = SPI_register_trigger_data(trigger);
  if (result < 0) {
    elog(ERROR, "SPI_register_trigger_data failed: %s", SPI_result_code_string(result));
  }
  const Datum is_blind = BoolGetDatum(IsolationUsesXactSnapshot());
  pg::Execute(StatementFor(trigger->tg_event), &is_blind);
  pg::SpiEnd(spi);
}

}  // namespace
}  // namespace auren::analytics

AUREN_SQL_FUNCTION(analytics_mark_touched_groups) {
  if (!CALLED_AS_TRIGGER(fcinfo)) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("analytics.mark_touched_groups() is a trigger function")));
  }
  auren::analytics::MarkChanged(reinterpret_cast<TriggerData*>(fcinfo->context));
  return PointerGetDatum(nullptr);
}
