// What the server looks for when it loads the library: the one place that knows all rooms.
#include "events/settled.h"
#include "postgres/backend.h"
#include "postgres/settings.h"
#include "postgres/waking.h"

extern "C" {
PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
}

void _PG_init(void) {
  auren::pg::InitSettings();
  auren::pg::InitWaking();
  auren::events::InitSettled();
}
