// `auren-worker dead-letters ...`: what could not be taken in (docs/dead-letters.md). Needs a
// PostgreSQL role that is a member of auren_writer, for letters are health data.
//
//   list [--reason R] [--topic T] [--since S] [--status S] [--limit N] [--json]
//       a table, or one JSON object a line; without the values
//   show ID [--raw]
//       all there is about one, its value as text if it is that, else in base64; --raw: only the
//       value, byte for byte
//   retry ID... | --all | [--reason R] [--topic T] [--since S] [--limit N]   [--dry-run]
//       takes them in once more, the oldest first, each in one transaction; --dry-run rolls it back
//   discard (the same) --note WHY
//       puts them aside for good
//
// Each also with --config FILE. One line per letter and what became of it on stdout.
#pragma once

#include "app/commands.h"

namespace auren::app {

// `args`: what follows `dead-letters`. Returns 0 when all is done, 1 when any letter is open still
// or was not open before, 64 for wrong usage, 69 when the database cannot be asked, 78 for a faulty
// configuration.
int RunDeadLetters(const std::vector<std::string>& args, const Environment& environment,
                   std::ostream& out, std::ostream& err);

}  // namespace auren::app
