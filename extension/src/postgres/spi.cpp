#include "postgres/spi.h"

#include "postgres/search_path.h"
#include "postgres/values.h"

extern "C" {
#include "utils/guc.h"
}

namespace auren::pg {

SpiSession SpiBegin() {
  const SpiSession session{PinSearchPath()};
  // A kept plan may have been made when its table was empty; it has to do when the table is large.
  (void)set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                          true, 0, false);
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
  return session;
}

void SpiEnd(SpiSession session) {
  SPI_finish();
  UnpinSearchPath(session.guc_level);
}

uint64 Execute(Statement* statement, const Datum* values, const bool* is_null, bool read_only,
               long limit) {
  if (statement->plan == nullptr) {
    SPIPlanPtr plan = SPI_prepare_cursor(statement->sql, statement->parameter_count,
                                         statement->types, CURSOR_OPT_GENERIC_PLAN);
    if (plan == nullptr) elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
    if (SPI_keepplan(plan) != 0) elog(ERROR, "SPI_keepplan failed");
    statement->plan = plan;
  }
  char nulls[kMaxParameters];
  for (int i = 0; i < statement->parameter_count; i++) {
    nulls[i] = is_null != nullptr && is_null[i] ? 'n' : ' ';
  }
  const int result =
      SPI_execute_plan(statement->plan, const_cast<Datum*>(values), nulls, read_only, limit);
  if (result < 0) elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
  return SPI_processed;
}

Datum Column(uint64 row, int column, bool* is_null) {
  Assert(row < SPI_tuptable->numvals);
  return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, is_null);
}

Datum Column(uint64 row, int column) {
  bool is_null;
  const Datum value = Column(row, column, &is_null);
  if (is_null) elog(ERROR, "unexpected null in column %d", column);
  return value;
}

std::string_view TextColumn(uint64 row, int column) {
  bool is_null;
  const Datum value = Column(row, column, &is_null);
  return is_null ? std::string_view{} : View(DatumGetTextPP(value));
}

Datum CopyOut(Datum varlena) { return SPI_datumTransfer(varlena, false, -1); }

}  // namespace auren::pg
