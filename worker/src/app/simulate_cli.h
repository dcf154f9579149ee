// `auren-worker simulate ...`: the stream of simulate.h, printed or sent.
//
//   simulate [--seed N] [--people N] [--days N] [--rate R] [--user U --set metric=value,...]
//            [--to stdout|http://HOST:PORT|kafka] [--config FILE]
//       stdout: one {"provider","headers","body"} a line
//       kafka: deliveries, to the topic of the configuration
#pragma once

#include "app/commands.h"

namespace auren::app {

int RunSimulate(const std::vector<std::string>& args, const Environment& environment,
                std::ostream& out, std::ostream& err);

}  // namespace auren::app
