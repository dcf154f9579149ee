// A second look at records that were read: a client of its own, no member of the group, that
// fetches single records by their offset while the consumer goes on.
//
// A topic that is deleted, made anew and filled beyond where a consumer stands looks like the old
// one to it: librdkafka 2.0.2 knows topics by name. The record that was read is no longer there,
// though.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "kafka/client.h"
#include "kafka/record.h"

namespace auren::kafka {

class SecondLook {
 public:
  struct Seen {
    enum class Kind {
      kRecord,  // it lies there, `digest` is DigestOf it
      kGone,    // the log begins behind it, or has been compacted: nothing can be said
      kEnds,    // the log ends before it
    };
    Kind kind = Kind::kGone;
    std::int64_t offset = 0;  // what was asked for
    std::string digest;
  };

  // `group_id` only as librdkafka wants one: it is never joined.
  SecondLook(Settings settings, std::string topic, std::string group_id);

  // Asks for the record at one offset of each partition. What was asked before and has not been
  // answered is forgotten.
  void Ask(const std::map<std::int32_t, std::int64_t>& offsets);

  // What has come since, without waiting for it.
  std::map<std::int32_t, Seen> Look();

  void Close();  // until the next Ask

 private:
  bool Open();
  std::optional<Seen> SeenIn(const rd_kafka_message_t& message, std::int64_t asked);

  const Settings settings_;
  const std::string topic_, group_id_;
  Handle handle_;
  std::map<std::int32_t, std::int64_t> asked_;
};

}  // namespace auren::kafka
