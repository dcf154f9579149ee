// `auren-worker devices ...`: what a device file makes of a request, without a server.
//
//   devices verify PROVIDER BODYFILE [-H 'K: V']... [--secret S] [--now UNIX]
//                  [--method M] [--query K=V]... [--path-token T] [--config FILE]
//       prints accept, accept:handshake or reject:<code>; why goes to stderr
//   devices test PROVIDER FILE [--user U] [-H 'K: V']... [--config FILE]
//       prints the readings that the body maps to: a JSON array of objects with the keys metric,
//       value, ucum, start, end, statistic, context, source, external_id and flags; times in UTC.
//       What no metric of ours is goes to stderr. Without --user a body that names nobody is taken
//       as somebody's.
#pragma once

#include "app/commands.h"

namespace auren::app {

// `args`: what follows `devices`. Returns the exit code: 0, 1 when the answer is no, 64 for wrong
// usage, 78 for a faulty configuration.
int RunDevices(const std::vector<std::string>& args, const Environment& environment,
               std::ostream& out, std::ostream& err);

}  // namespace auren::app
