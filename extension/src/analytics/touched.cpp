#include "analytics/touched.h"

#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"
}

namespace auren::analytics {
namespace {

// Marks the groups that a query names, each once, unless a mark is there that can be relied upon.
// $1: do not look. A snapshot that is older than the statement may show marks that are gone, and
// locking one of those would be a serialization failure where there is no conflict.
#define MARK(groups)                                                                     \
  {                                                                                      \
    "INSERT INTO analytics.touched_groups (user_id, metric_type, day)"                   \
    " SELECT t.user_id, t.metric_type, t.day FROM (" groups                              \
    ") t"                                                                                \
    " WHERE $1 OR NOT EXISTS (SELECT FROM analytics.touched_groups g"                    \
    "   WHERE g.user_id = t.user_id AND g.metric_type = t.metric_type AND g.day = t.day" \
    "   FOR KEY SHARE SKIP LOCKED)",                                                     \
        1, {                                                                             \
      BOOLOID                                                                            \
    }                                                                                    \
  }

pg::Statement mark_added = MARK("SELECT DISTINCT user_id, metric_type, day FROM touched");

// By the names that the triggers give to what they saw.
pg::Statement mark_inserted = MARK("SELECT DISTINCT user_id, metric_type, day FROM new_readings");
pg::Statement mark_deleted = MARK("SELECT DISTINCT user_id, metric_type, day FROM old_readings");
pg::Statement mark_updated = MARK(
    "SELECT user_id, metric_type, day FROM old_readings"
    " UNION SELECT user_id, metric_type, day FROM new_readings");

// A TRUNCATE says nothing of what it takes away; but only what is stored can now be wrong.
pg::Statement mark_stored = MARK(
    "SELECT DISTINCT user_id, split_part(metric_type, ':', 1) AS metric_type, day"
    " FROM analytics.user_metrics_daily");

constexpr pg::RowColumn kGroup[] = {
    {"user_id", TEXTOID}, {"metric_type", TEXTOID}, {"day", DATEOID}};

// The (sub)transaction in which a TouchedGroups stands for the triggers. An ERROR leaves it behind,
// and ends that (sub)transaction, whose number is not used again.
struct {
  LocalTransactionId transaction;
  SubTransactionId subtransaction;
} collecting = {InvalidLocalTransactionId, InvalidSubTransactionId};

bool IsCollecting() {
  return collecting.transaction == AUREN_LOCAL_TRANSACTION_ID() &&
         collecting.subtransaction == GetCurrentSubTransactionId();
}

// False until ALTER EXTENSION has been run after an installation of this version over 0.1.0; it
// then marks everything there is.
bool HasMarks() {
  const Oid schema = get_namespace_oid("analytics", true);
  return OidIsValid(schema) && OidIsValid(get_relname_relid("touched_groups", schema));
}

void RunMark(pg::Statement* statement) {
  const Datum is_blind = BoolGetDatum(IsolationUsesXactSnapshot());
  pg::Execute(statement, &is_blind);
}

pg::Statement* StatementFor(TriggerEvent event) {
  if (TRIGGER_FIRED_BY_INSERT(event)) return &mark_inserted;
  if (TRIGGER_FIRED_BY_UPDATE(event)) return &mark_updated;
  if (TRIGGER_FIRED_BY_DELETE(event)) return &mark_deleted;
  return &mark_stored;
}

void MarkChanged(TriggerData* trigger) {
  if (IsCollecting()) return;
  const pg::SpiSession spi = pg::SpiBegin();
  const int result = SPI_register_trigger_data(trigger);
  if (result < 0) {
    elog(ERROR, "SPI_register_trigger_data failed: %s", SPI_result_code_string(result));
  }
  RunMark(StatementFor(trigger->tg_event));
  pg::SpiEnd(spi);
}

}  // namespace

TouchedGroups::TouchedGroups() : rows_("touched", kGroup) {
  collecting = {AUREN_LOCAL_TRANSACTION_ID(), GetCurrentSubTransactionId()};
}

void TouchedGroups::Add(const text* user_id, std::string_view metric_type, DateADT day) {
  const std::string_view user = pg::View(user_id);
  if (user == last_user_ && day == last_day_ && metric_type == last_metric_) return;
  last_user_ = user;
  last_metric_ = metric_type;
  last_day_ = day;
  rows_.Text(user_id);
  rows_.Text(metric_type);
  rows_.Add(DateADTGetDatum(day));
  rows_.EndRow();
}

void TouchedGroups::Mark() {
  if (rows_.count() > 0 && HasMarks()) {
    rows_.Offer();
    RunMark(&mark_added);
  }
  collecting = {InvalidLocalTransactionId, InvalidSubTransactionId};
}

}  // namespace auren::analytics

AUREN_SQL_FUNCTION(analytics_mark_touched_groups) {
  if (!CALLED_AS_TRIGGER(fcinfo)) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("analytics.mark_touched_groups() is a trigger function")));
  }
  auren::analytics::MarkChanged(reinterpret_cast<TriggerData*>(fcinfo->context));
  return PointerGetDatum(nullptr);
}
