// process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds: the client library
// has none of them, so they are read from /proc at each scrape.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace auren::ops {

std::vector<prometheus::MetricFamily> CollectProcess();

}  // namespace auren::ops
