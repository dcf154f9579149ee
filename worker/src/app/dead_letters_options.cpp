#include "app/dead_letters_options.h"

#include <CLI/CLI.hpp>
#include <ostream>

#include "app/commands.h"
#include "devices/scalar.h"
#include "devices/timestamp.h"
#include "ops/clock.h"

namespace auren::app {
namespace {

using Verb = DeadLettersOptions::Verb;

constexpr std::int64_t kListed = 100;

void AddFilter(CLI::App* command, DeadLettersOptions* options) {
  command->add_option("--reason", options->reason, "only those with this reason");
  command->add_option("--topic", options->topic, "only those of this topic");
  command->add_option("--since", options->since,
                      "only those first seen since: 2h, 7d, or RFC 3339");
  command->add_option("--limit", options->limit, "at most so many, the oldest first")
      ->check(CLI::PositiveNumber);
}

// What CLI11 does not know; empty: all is well.
std::string Complaint(const DeadLettersOptions& options, bool all) {
  const bool filtered = !options.reason.empty() || !options.topic.empty() ||
                        !options.since.empty() || options.limit > 0;
  for (const std::int64_t id : options.ids) {
    if (id < 1) return "an id is 1 or more, got " + std::to_string(id);
  }
  if (options.verb == Verb::kList || options.verb == Verb::kShow) return "";
  if (!options.ids.empty() && (filtered || all)) return "give ids or a filter, not both";
  if (options.ids.empty() && !filtered && !all) {
    return "which? Give ids, --reason, --topic, --since or --limit; --all for all that are open";
  }
  if (options.verb == Verb::kDiscard && options.note.empty()) {
    return "--note: say why, for whoever looks at them later";
  }
  return "";
}

}  // namespace

std::optional<std::string> ParseSince(std::string_view text,
                                      std::chrono::system_clock::time_point now) {
  constexpr double kLongest = 100.0 * 366 * 24 * 3600;  // what is older than this is a slip
  if (const auto seconds = devices::ParseDuration(text); seconds && *seconds <= kLongest) {
    return ops::Rfc3339(now - std::chrono::duration_cast<std::chrono::milliseconds>(
                                  std::chrono::duration<double>(*seconds)));
  }
  const auto time = devices::ParseTimestamp(text);
  if (!time || !time->offset_minutes)
    return std::nullopt;  // a number is no time, nor is a bare day
  return devices::ToRfc3339(*time);
}

std::optional<int> ParseDeadLetters(const std::vector<std::string>& args,
                                    std::chrono::system_clock::time_point now,
                                    DeadLettersOptions* options, std::ostream& out,
                                    std::ostream& err) {
  CLI::App app("What could not be taken in: bridge.dead_letters", "auren-worker dead-letters");
  app.require_subcommand(1);
  bool all = false;
  CLI::App* list = app.add_subcommand("list", "print those that are open, the oldest first");
  AddFilter(list, options);
  list->add_option("--status", options->status, "open (the default), retried, discarded or all")
      ->check(CLI::IsMember({"open", "retried", "discarded", "all"}));
  list->add_flag("--json", options->json, "one JSON object a line");
  CLI::App* show = app.add_subcommand("show", "print all there is about one");
  show->add_option("id", options->ids, "its id")->required()->expected(1);
  show->add_flag("--raw", options->raw, "only its value, byte for byte");
  CLI::App* retry = app.add_subcommand("retry", "take them in once more");
  CLI::App* discard = app.add_subcommand("discard", "put them aside for good");
  discard->add_option("--note", options->note, "why")->required();
  for (CLI::App* command : {retry, discard}) {
    command->add_option("ids", options->ids, "their ids");
    AddFilter(command, options);
    command->add_flag("--all", all, "all that are open");
    command->add_flag("--dry-run", options->dry_run,
                      "say what would become of them, change nothing");
  }
  for (CLI::App* command : {list, show, retry, discard}) {
    command->add_option("--config", options->config, "configuration file");
  }
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));  // CLI11 takes them reversed
  } catch (const CLI::ParseError& e) {
    return app.exit(e, out, err) == 0 ? kExitDone : kExitUsage;
  }
  if (show->parsed()) options->verb = Verb::kShow;
  if (retry->parsed()) options->verb = Verb::kRetry;
  if (discard->parsed()) options->verb = Verb::kDiscard;

  std::string complaint = Complaint(*options, all);
  if (complaint.empty() && !options->since.empty()) {
    const auto since = ParseSince(options->since, now);
    if (since) options->since = *since;
    if (!since) {
      complaint =
          "--since: expected a duration such as 2h, or RFC 3339 such as "
          "2025-01-27T10:30:00Z, got '" +
          options->since + "'";
    }
  }
  if (!complaint.empty()) {
    err << "auren-worker dead-letters: " << complaint << "\n";
    return kExitUsage;
  }
  if (list->parsed() && options->limit == 0) options->limit = kListed;
  return std::nullopt;
}

}  // namespace auren::app
