#include "ops/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace auren::ops {
namespace {

prometheus::MetricFamily One(const char* name, const char* help, prometheus::MetricType type,
                             double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return {name, help, type, {metric}};
}

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;  // pages
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double OpenFds() {
  std::error_code error;
  const std::filesystem::directory_iterator fds("/proc/self/fd", error);
  if (error) return 0;
  return static_cast<double>(std::distance(begin(fds), end(fds))) - 1;  // less the one that looks
}

}  // namespace

std::vector<prometheus::MetricFamily> CollectProcess() {
  using prometheus::MetricType;
  return {
      One("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, ResidentBytes()),
      One("process_cpu_seconds_total", "Processor time, user and system.", MetricType::Counter,
          CpuSeconds()),
      One("process_open_fds", "Open file descriptors.", MetricType::Gauge, OpenFds())};
}

}  // namespace auren::ops
