// What the server looks for when it loads the library.
#include "events/settled.h"
#include "postgres/backend.h"
#include "postgres/waking.h"

extern "C" {
#include "utils/guc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
}

void _PG_init(void) {
  // A misspelt auren.* setting is refused instead of being kept without effect.
  MarkGUCPrefixReserved("auren");
  auren::pg::InitWaking();
  auren::events::InitSettled();
}
