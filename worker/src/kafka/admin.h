// What is asked of a cluster beside producing and consuming: what it is, and that topics be made.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "kafka/client.h"

namespace auren::kafka {

// A handle for questions; one thread at a time.
class Admin {
 public:
  explicit Admin(const Settings& settings);

  // False, with `error` set: the handle cannot be made; nothing else works then.
  bool ok(std::string* error) const;

  struct Topic {
    std::string name;
    int partitions = 0;  // 0: there is no such topic
  };
  struct Cluster {
    std::string id;             // as the brokers say it; empty: too old to say
    std::vector<Topic> topics;  // those that were asked for, in that order
  };
  // False, with `error` set, when no broker answers within `timeout`, or a topic's state is not
  // known (its leader is being elected, or it may not be looked at).
  bool Look(const std::vector<std::string>& topics, std::chrono::milliseconds timeout,
            Cluster* cluster, std::string* error);

  // The offsets of the oldest record there is and of the next to come. False, with `error` set.
  bool Ends(const std::string& topic, int partition, std::chrono::milliseconds timeout,
            std::int64_t* low, std::int64_t* high, std::string* error);

  enum class Made { kMade, kExists, kUnavailable, kRefused };
  // `replication` -1: the brokers' default. On anything but kMade and kExists `error` says why.
  Made CreateTopic(const Topic& topic, int replication, std::chrono::milliseconds timeout,
                   std::string* error);

 private:
  Handle handle_;
  std::string why_;
};

}  // namespace auren::kafka
