#include "postgres/settings.h"

extern "C" {
#include "utils/guc.h"
}

namespace auren::pg {
namespace {

bool hash_chain = false;

}  // namespace

void InitSettings() {
  DefineCustomBoolVariable("auren.hash_chain",
                           "Links each new event to the one before it in its stream by a hash.",
                           "A stream whose chain has begun goes on with it either way.",
                           &hash_chain, false, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  // A misspelt auren.* setting is refused instead of being kept without effect.
  MarkGUCPrefixReserved("auren");
}

bool HashChainSetting() { return hash_chain; }

}  // namespace auren::pg
