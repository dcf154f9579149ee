// The subcommands of auren-worker beside `serve`: one table. To add one, write its function in a
// file of its own and name it in commands.cpp.
//
// Exit codes: 0 done; 1 the check or command said no; 64 usage; 69 a service is unavailable; 70
// internal; 78 configuration. Results go to `out`, everything else to `err`.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace auren::app {

inline constexpr int kExitDone = 0, kExitNo = 1, kExitUsage = 64, kExitUnavailable = 69,
                     kExitInternal = 70, kExitForced = 75, kExitConfig = 78;

using Environment = std::map<std::string, std::string>;

// `args`: what follows the command's name.
using RunCommand = int (*)(const std::vector<std::string>& args, const Environment& environment,
                           std::ostream& out, std::ostream& err);

struct Command {
  const char* name;
  const char* usage;  // what follows the name, and what it does
  RunCommand run;
};

const std::vector<Command>& Commands();

}  // namespace auren::app
