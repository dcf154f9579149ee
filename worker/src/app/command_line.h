// The command line: auren-worker [serve] [--config FILE] [--check-config] [--print-config]
// [--version], or one of the commands of commands.h.
#pragma once

#include "app/commands.h"

namespace auren::app {

// `args`: all but the program's name. Returns the exit code.
int RunCommandLine(const std::vector<std::string>& args, const Environment& environment,
                   std::ostream& out, std::ostream& err);

}  // namespace auren::app
