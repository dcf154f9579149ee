#include "app/kafka_cli.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <ostream>

#include "app/load_config.h"
#include "kafka/admin.h"
#include "postgres/connection.h"

namespace auren::app {
namespace {

constexpr std::chrono::milliseconds kPatience{10'000};

// What a subcommand's options are read into, and what it runs with.
struct Call {
  config::Source source;
  int partitions = 4, replication = -1;
  int partition = -1;
  std::string at;
  std::shared_ptr<const config::Config> config;
  std::ostream& out;
  std::ostream& err;
};

// One subcommand: its options, and what it does once the configuration is loaded.
struct Subcommand {
  const char *name, *help;
  std::function<void(CLI::App*, Call*)> options;
  std::function<int(Call&)> run;
};

int Unavailable(Call& call, const std::string& error) {
  call.err << "auren-worker kafka: " << call.config->kafka.bootstrap_servers << ": " << error
           << "\n";
  return kExitUnavailable;
}

int CreateTopics(Call& call) {
  const config::Config& config = *call.config;
  kafka::Admin admin(KafkaSettings(config));
  kafka::Admin::Cluster cluster;
  std::string error;
  const std::vector<std::string> names = {config.kafka.topic, config.kafka.dlq_topic,
                                          config.outbox.topic};
  if (!admin.Look(names, kPatience, &cluster, &error)) return Unavailable(call, error);
  int code = kExitDone;
  for (const kafka::Admin::Topic& topic : cluster.topics) {
    if (topic.partitions > 0) {
      call.out << topic.name << ": is there, partitions: " << topic.partitions << "\n";
      continue;
    }
    switch (admin.CreateTopic({topic.name, call.partitions}, call.replication, kPatience, &error)) {
      case kafka::Admin::Made::kMade:
        call.out << topic.name << ": made, partitions: " << call.partitions << "\n";
        break;
      case kafka::Admin::Made::kExists:  // another has just made it
        call.out << topic.name << ": is there\n";
        break;
      case kafka::Admin::Made::kUnavailable:
        return Unavailable(call, error);
      case kafka::Admin::Made::kRefused:
        call.err << "auren-worker kafka: " << topic.name << ": " << error << "\n";
        code = kExitNo;
        break;
    }
  }
  return code;
}

// --at as an offset; false, with `error` set, when the broker does not say.
bool Offset(Call& call, std::int64_t* offset, std::string* error) {
  kafka::Admin admin(KafkaSettings(*call.config));
  std::int64_t low = 0, high = 0;
  if (call.at != "earliest" && call.at != "latest") {
    *offset = std::stoll(call.at);
    return true;
  }
  if (!admin.Ends(call.config->kafka.topic, call.partition, kPatience, &low, &high, error)) {
    return false;
  }
  *offset = call.at == "earliest" ? low : high;
  return true;
}

int Resume(Call& call) {
  using postgres::Param;
  const config::Config& config = *call.config;
  kafka::Admin admin(KafkaSettings(config));
  kafka::Admin::Cluster cluster;
  std::string error;
  std::int64_t offset = 0;
  if (!admin.Look({config.kafka.topic}, kPatience, &cluster, &error) ||
      (!call.at.empty() && !Offset(call, &offset, &error))) {
    return Unavailable(call, error);
  }
  postgres::Connection connection(config.postgres.url, "kafka resume");
  const postgres::Result result =
      connection.Execute("SELECT bridge.resume_partition($1, $2, $3::text::int, $4::text::bigint)",
                         {Param::Text(cluster.id), Param::Text(config.kafka.topic),
                          Param::Text(std::to_string(call.partition)),
                          call.at.empty() ? Param::Null() : Param::Text(std::to_string(offset))});
  if (!result.ok()) {
    call.err << "auren-worker kafka resume: " << result.error().message << "\n";
    return connection.connected() ? kExitNo : kExitUnavailable;
  }
  call.out << "partition " << call.partition << " of " << config.kafka.topic
           << " goes on from offset " << result.Get(0, 0) << "\n";
  return kExitDone;
}

// What --at may be: CLI11 wants an empty text for yes, else what is wrong.
std::string CheckAt(const std::string& text) {
  const bool digits = !text.empty() && text.size() < 19 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  return digits || text == "earliest" || text == "latest"
             ? ""
             : "expected earliest, latest or an offset, got '" + text + "'";
}

const std::vector<Subcommand>& Subcommands() {
  static const std::vector<Subcommand> subcommands = {
      {"create-topics", "make the topics that the configuration names; those that are there stay",
       [](CLI::App* command, Call* call) {
         command->add_option("--partitions", call->partitions, "of each topic that is made")
             ->check(CLI::Range(1, 10'000))
             ->capture_default_str();
         command->add_option("--replication", call->replication, "copies; the brokers' default")
             ->check(CLI::Range(1, 100));
       },
       CreateTopics},
      {"resume", "let a partition go on that has stopped itself",
       [](CLI::App* command, Call* call) {
         command->add_option("--partition", call->partition, "which one")
             ->required()
             ->check(CLI::Range(0, 1'000'000));
         command
             ->add_option("--at", call->at,
                          "where: earliest, latest or an offset; where it stopped, if not given")
             ->check(CheckAt);
       },
       Resume},
  };
  return subcommands;
}

}  // namespace

int RunKafka(const std::vector<std::string>& args, const Environment& environment,
             std::ostream& out, std::ostream& err) {
  CLI::App app("The Kafka cluster", "auren-worker kafka");
  app.require_subcommand(1);
  Call call{{}, 4, -1, -1, "", nullptr, out, err};
  call.source.environment = environment;
  const Subcommand* chosen = nullptr;
  for (const Subcommand& subcommand : Subcommands()) {
    CLI::App* command = app.add_subcommand(subcommand.name, subcommand.help);
    command->add_option("--config", call.source.file, "configuration file");
    subcommand.options(command, &call);
    command->callback([&chosen, &subcommand] { chosen = &subcommand; });
  }
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));  // CLI11 takes them reversed
  } catch (const CLI::ParseError& e) {
    return app.exit(e, out, err) == 0 ? kExitDone : kExitUsage;
  }
  const config::Loaded loaded = LoadForKafka(call.source, err);
  if (!loaded.config) return kExitConfig;
  call.config = loaded.config;
  return chosen->run(call);
}

}  // namespace auren::app
