#include "events/reducer.h"

#include "events/scan.h"
#include "events/store.h"
#include "postgres/search_path.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "catalog/pg_proc.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "parser/parse_func.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace auren::events {
namespace {

constexpr char kTable[] = "reducers";
constexpr char kByCategory[] = "reducers_pkey";
constexpr AttrNumber kReducer = 2;  // the column; the first is the category
constexpr std::string_view kDefault = "events.merge";

// What register_reducer has stored for a category: schema.function(jsonb,events.event_store);
// nullptr when it has nothing.
char* Registered(std::string_view category) {
  const Oid oid = FindRelation(kTable);
  if (!OidIsValid(oid)) return nullptr;  // the schema of 0.1.0
  Relation table = table_open(oid, AccessShareLock);
  char* registered = nullptr;
  if (RelationGetNumberOfBlocks(table) > 0) {
    Scan scan;
    scan.Begin(table, kByCategory, GetActiveSnapshot());
    scan.Equal(pg::Text(category));
    if (scan.Next(ForwardScanDirection)) registered = TextDatumGetCString(scan.Get(kReducer));
    scan.End();
  }
  table_close(table, AccessShareLock);
  return registered;
}

Oid FunctionOf(const char* registered) {
  char* name = pstrdup(registered);
  *strrchr(name, '(') = '\0';  // neither argument's type has a parenthesis
  const Oid arguments[] = {JSONBOID, get_rel_type_id(RelationOid(kStore.table))};
  return LookupFuncName(stringToQualifiedNameList(name), lengthof(arguments), arguments, false);
}

void AddAttribute(StringInfo definition, HeapTuple function, AttrNumber attribute) {
  bool is_null;
  const Datum value = SysCacheGetAttr(PROCOID, function, attribute, &is_null);
  if (is_null) {
    appendStringInfoString(definition, "-,");
    return;
  }
  const char* bytes = TextDatumGetCString(value);
  appendStringInfo(definition, "%zu:%s,", strlen(bytes), bytes);
}

// Changes whenever the function is given another body, language, library or setting.
text* NameOf(const char* registered, Oid function) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", function);
  StringInfoData definition;
  initStringInfo(&definition);
  appendStringInfo(&definition, "%u,", reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang);
  AddAttribute(&definition, tuple, Anum_pg_proc_prosrc);
  AddAttribute(&definition, tuple, Anum_pg_proc_probin);
  AddAttribute(&definition, tuple, Anum_pg_proc_prosqlbody);
  bool is_null;
  const Datum settings = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proconfig, &is_null);
  if (!is_null) {
    appendStringInfoString(&definition, OidOutputFunctionCall(F_ARRAY_OUT, settings));
  }
  ReleaseSysCache(tuple);
  const auto* bytes = reinterpret_cast<const unsigned char*>(definition.data);
  return cstring_to_text(psprintf("%s %016" INT64_MODIFIER "x%016" INT64_MODIFIER "x", registered,
                                  hash_bytes_extended(bytes, definition.len, 0),
                                  hash_bytes_extended(bytes, definition.len, 1)));
}

void RequireExecutable(Oid function) {
  if (AUREN_FUNCTION_ACLCHECK(function, GetUserId()) == ACLCHECK_OK) return;
  aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(function));
}

}  // namespace

Reducer FindReducer(const text* stream_id) {
  const std::string_view id = pg::View(stream_id);
  const char* registered = Registered(id.substr(0, id.find(':')));
  if (registered == nullptr) return {InvalidOid, pg::Text(kDefault)};
  const Oid function = FunctionOf(registered);
  RequireExecutable(function);
  return {function, NameOf(registered, function)};
}

void ReducerCall::Begin(const Reducer& reducer, Relation store) {
  fmgr_info(reducer.function, &function_);
  event_ = MakeSingleTupleTableSlot(RelationGetDescr(store), &TTSOpsVirtual);
  search_path_ = pg::PinSearchPath();
  version_ = 0;
  context_ = {error_context_stack, Say, this};
  error_context_stack = &context_;
}

Jsonb* ReducerCall::Apply(Jsonb* state, TupleTableSlot* row) {
  CopyRow(row, event_);  // a row of the store, wherever it comes from
  version_ = DatumGetInt64(event_->tts_values[kVersion - 1]);
  if (state == nullptr && function_.fn_strict) return nullptr;

  LOCAL_FCINFO(call, 2);
  InitFunctionCallInfoData(*call, &function_, 2, InvalidOid, nullptr, nullptr);
  call->args[0] = {PointerGetDatum(state), state == nullptr};
  call->args[1] = {ExecFetchSlotHeapTupleDatum(event_), false};
  const Datum next = FunctionCallInvoke(call);
  return call->isnull ? nullptr : DatumGetJsonbP(next);
}

void ReducerCall::End() {
  error_context_stack = context_.previous;
  pg::UnpinSearchPath(search_path_);
  ExecDropSingleTupleTableSlot(event_);
}

void ReducerCall::Say(void* self) {
  const auto* call = static_cast<ReducerCall*>(self);
  errcontext("reducer %s at version " INT64_FORMAT, get_func_name(call->function_.fn_oid),
             call->version_);
}

}  // namespace auren::events
