#include "postgres/search_path.h"

#include "postgres/backend.h"

extern "C" {
#include "utils/guc.h"
}

namespace auren::pg {

int PinSearchPath() {
  const int level = NewGUCNestLevel();
  (void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                          GUC_ACTION_SAVE, true, 0, false);
  return level;
}

void UnpinSearchPath(int level) { AtEOXact_GUC(true, level); }

}  // namespace auren::pg
