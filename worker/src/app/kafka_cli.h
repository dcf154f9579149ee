// auren-worker kafka ...: what an operator does to the cluster, and to what is read from it.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "app/commands.h"

namespace auren::app {

// create-topics [--partitions N] [--replication N]: makes the topics of the configuration.
// resume --partition N [--at earliest|latest|OFFSET]: lets a stopped partition go on.
//
// Each with --config. 69 when no broker or database answers, 1 when one of them refuses, 78 for a
// bad configuration.
int RunKafka(const std::vector<std::string>& args, const Environment& environment,
             std::ostream& out, std::ostream& err);

}  // namespace auren::app
