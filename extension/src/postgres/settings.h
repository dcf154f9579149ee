// AUREN's settings: what a DBA may write into postgresql.conf.
#pragma once

#include "postgres/backend.h"

namespace auren::pg {

// Defines them; to be called once, when the library is loaded.
void InitSettings();

// auren.hash_chain (SIGHUP, default off): new events carry a hash, see events/hash_chain.h.
bool HashChainSetting();

}  // namespace auren::pg
