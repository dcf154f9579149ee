// auren-worker: see command_line.h.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "app/command_line.h"
#include "kafka/ending.h"

namespace {

// Many threads take in bodies in bursts. glibc would give each of them a heap of its own, up to
// eight to a core, and each heap keeps the most it ever held.
void KeepMemoryFlat() {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  KeepMemoryFlat();
  auren::app::Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  const int code =
      auren::app::RunCommandLine({argv + 1, argv + argc}, environment, std::cout, std::cerr);
  if (auren::kafka::Endings() == 0) return code;
  // All that was promised is kept; a client of librdkafka that does not end goes with the process.
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
  _exit(code);
}
