#include "app/commands.h"

#include "app/devices_cli.h"
#include "app/keys.h"
#include "app/simulate_cli.h"

namespace auren::app {

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands = {
      {"devices", "verify|test PROVIDER FILE ...: what a device file makes of a request",
       RunDevices},
      {"keys", "create|list|revoke ...: API keys", RunKeys},
      {"devices", "verify|test ...: what a device file makes of a request", RunDevices},
      {"simulate", "--seed N --people N --days N ...: several people's days", RunSimulate},
  };
  return commands;
}

}  // namespace auren::app
