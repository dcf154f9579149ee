// The worker while it serves: start-up order, reload, shutdown order.
#pragma once

#include "config/config.h"

namespace auren::app {

// REQUIRES: no thread was made yet (SIGTERM, SIGINT and SIGHUP are blocked for all of them).
// Serves until SIGTERM or SIGINT. Returns the exit code: 0 after an orderly stop, 69 when a port
// cannot be had, 78 when certificate or key cannot be read; a second signal ends the process
// with 75.
int Serve(const config::Source& source, const config::Loaded& loaded);

}  // namespace auren::app
