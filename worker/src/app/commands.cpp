#include "app/commands.h"

#include "app/dead_letters_cli.h"
#include "app/devices_cli.h"
#include "app/kafka_cli.h"
#include "app/keys.h"
#include "app/simulate_cli.h"

namespace auren::app {

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands = {
      {"dead-letters", "list|show|retry|discard ...: what could not be taken in", RunDeadLetters},
      {"devices", "verify|test PROVIDER FILE ...: what a device file makes of a request",
       RunDevices},
      {"keys", "create|list|revoke ...: API keys", RunKeys},
      {"kafka", "create-topics ...: what is done to the cluster", RunKafka},
      {"simulate", "--seed N --people N --days N ...: several people's days", RunSimulate},
  };
  return commands;
}

}  // namespace auren::app
