// A seeded stream of several people's days, in the shapes their devices really send. Pure: the same
// options give the same bytes; nothing is read and nothing is sent.
//
// Person i lives story i mod 4, through one provider:
//
//   normal    healthkit, simple samples        a night like all the others, an easy day
//   stressed  oura, simple shape, signed       the heart rate variability of today's night halves
//   workout   healthkit, simple samples        heart rate 130 to 155, with context workout
//   sick      health_auto_export               for a week resting heart rate, breathing and
//                                              temperature rise and oxygen falls; today it shows
//
// Time is relative to `now_unix`. The days before today are history: every reading of them ended
// more than 24 hours ago, so that they build baselines and switch nothing. Then come today's
// readings, in their order of time: a calm evening for everybody, the night, the day.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace auren::app {

// What a sender needs to be believed; from the environment variables of the providers' secrets.
struct Credentials {
  std::string oura_client_secret;  // OURA_CLIENT_SECRET
  std::string healthkit_key;       // HEALTHKIT_API_KEYS: the first that is bound to nobody
  std::string export_key;          // HEALTH_AUTO_EXPORT_API_KEYS, else HealthKit's: the same

  // The first of a comma list counts: the newest key.
  static Credentials From(const std::map<std::string, std::string>& environment);
};

struct SimulateOptions {
  std::uint64_t seed = 1;
  int people = 4;  // 1..10000
  int days = 30;   // 1..400, today included
  std::int64_t now_unix = 0;
  std::string user;  // not empty: only this one, with the values of `set`, at this moment
  std::vector<std::pair<std::string, double>> set;  // metric -> value
};

struct Post {
  std::string provider;  // the route: /webhooks/{provider}
  std::string user_id;
  std::string story;    // normal, stressed, workout, sick, set
  std::string what;     // for people: "night", "workout"
  std::int64_t at = 0;  // seconds: when the device would have sent it
  bool history = false;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// The stream, in the order in which it is to be sent: history first.
// REQUIRES: options within their ranges, every metric of `set` one of SettableMetrics().
std::vector<Post> Simulate(const SimulateOptions& options, const Credentials& credentials);

// The metrics --set knows, with the name HealthKit's simple shape has for each.
const std::map<std::string, std::string>& SettableMetrics();

// One line of `--to stdout`: {"provider","headers","body"}.
std::string ToLine(const Post& post);

// Posts all of them to http://HOST:PORT, `rate` a second (0: as fast as answers come), one line
// each for today's on stdout. Returns an exit code: 0, 1 when any was refused, 69 when nobody
// answers.
int SendPosts(const std::vector<Post>& posts, const std::string& url, double rate);

// Maps them as a worker with this configuration would and produces the deliveries to its topic, at
// most `rate` posts a second. Lines and exit codes as SendPosts.
int PublishPosts(const std::vector<Post>& posts, const config::Config& config, double rate);

}  // namespace auren::app
