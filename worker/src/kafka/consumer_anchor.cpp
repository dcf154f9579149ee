// Consumer: whether the log is still the one that was read.
//
// At an assignment the record before the first tells. While a partition is being read nothing of
// the protocol does, once a topic made anew has been filled beyond our offset. So a record that was
// read some time ago, the anchor, is looked at again now and then. Seen as it was, it proves that
// all we had read when we asked came from the same log. Seen otherwise, the partition stops: its
// new records may have been taken for ones that were read. Nothing is lost by it: they are read
// from the beginning, and those taken in already count once.
#include <utility>

#include "kafka/consumer.h"
#include "ops/log.h"

namespace auren::kafka {
namespace {

constexpr std::chrono::seconds kLookBack{10};

}  // namespace

// False: the partition is stopped.
bool Consumer::StillThere(std::int32_t partition, const SecondLook::Seen& seen) {
  using Look = SecondLook::Seen::Kind;
  const Anchor& kept = anchors_.at(partition).kept;
  if (seen.kind == Look::kGone || (seen.kind == Look::kRecord && seen.digest == kept.digest)) {
    return true;
  }
  const std::string number = std::to_string(partition);
  StopPartition(
      partition, "topic_recreated",
      "the record at offset " + std::to_string(kept.offset) +
          (seen.kind == Look::kEnds ? " is not there any more" : " is not the one that was read") +
          ": the topic was made anew while it was read; to read it from its beginning: "
          "auren-worker kafka resume --partition " +
          number + " --at earliest");
  return false;
}

void Consumer::LookBack() {
  std::map<std::int32_t, Anchor> proved;
  for (const auto& [partition, seen] : second_look_.Look()) {
    const auto it = anchors_.find(partition);
    // It may have been taken over anew since it was asked about.
    if (it == anchors_.end() || it->second.asked.digest.empty() ||
        it->second.kept.offset != seen.offset) {
      continue;
    }
    if (!StillThere(partition, seen)) continue;  // with its anchors
    it->second.kept = it->second.asked;
    proved[partition] = it->second.kept;
  }
  const bool due = Clock::now() - looked_back_ >= kLookBack;
  if (due) looked_back_ = Clock::now();
  std::map<std::int32_t, std::int64_t> offsets;
  for (auto& [partition, anchors] : anchors_) {
    if (anchors.newest.digest.empty()) continue;
    if (anchors.kept.digest.empty()) {
      proved[partition] = anchors.kept = anchors.newest;  // from here on
    } else if (due) {
      anchors.asked = anchors.newest;
      offsets[partition] = anchors.kept.offset;
    }
  }
  if (!offsets.empty()) second_look_.Ask(offsets);
  if (proved.empty()) return;
  if (transaction_.active()) Finish(*transaction_.Poll(-1));
  if (const auto error = offsets_.Keep(proved, positions_)) {
    // A later look keeps a later one.
    ops::log::Warn("consumer", "what was looked at again could not be noted",
                   {{"sqlstate", error->sqlstate}, {"error", error->message}});
  }
}

}  // namespace auren::kafka
