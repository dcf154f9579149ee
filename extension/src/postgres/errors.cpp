#include "postgres/errors.h"

namespace auren::pg {
namespace {

int SqlState(core::Code code) {
  switch (code) {
    case core::Code::kInvalid:
      return ERRCODE_INVALID_PARAMETER_VALUE;
    case core::Code::kOutOfMemory:
      return ERRCODE_OUT_OF_MEMORY;
    case core::Code::kOk:
    case core::Code::kInternal:
      break;
  }
  return ERRCODE_INTERNAL_ERROR;
}

}  // namespace

void ThrowIfError(const core::Status& status) {
  if (status.ok()) return;
  ereport(ERROR, (errcode(SqlState(status.code)), errmsg_internal("%s", status.message),
                  status.hint[0] == '\0' ? 0 : errhint("%s", status.hint)));
}

void RequireNotNull(FunctionCallInfo fcinfo, int argument, const char* name) {
  if (PG_ARGISNULL(argument)) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
  }
}

}  // namespace auren::pg
