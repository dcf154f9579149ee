// auren-worker: see command_line.h.
#include <unistd.h>

#include <iostream>

#include "app/command_line.h"

int main(int argc, char** argv) {
  auren::app::Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return auren::app::RunCommandLine({argv + 1, argv + argc}, environment, std::cout, std::cerr);
}
