// `auren-worker keys ...`: the API keys in bridge.api_keys. Only a key's SHA-256 is stored; the key
// itself is shown once, when it is made. Needs a PostgreSQL role that is a member of auren_admin.
//
//   keys create NAME [--user USER] [--config FILE]   prints the key; bound to USER it acts for that
//                                                    person only
//   keys list [--config FILE]                        prints name, user, created, revoked
//   keys revoke NAME [--config FILE]                 1 when no key of that name is admitted
#pragma once

#include "app/commands.h"

namespace auren::app {

int RunKeys(const std::vector<std::string>& args, const Environment& environment, std::ostream& out,
            std::ostream& err);

}  // namespace auren::app
