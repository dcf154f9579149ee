#include "app/simulate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "devices/crypto.h"

namespace auren::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr int kSickDays = 7;  // today included

// splitmix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195): the same numbers on every
// machine, which the standard library's distributions do not promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  // Evenly around `mean`, never further from it than `spread`: that is 1.73 standard deviations, so
  // a calm day stays calm.
  double Around(double mean, double spread) { return mean + spread * (2 * Unit() - 1); }

 private:
  std::uint64_t state_;
};

double Round(double value, double step) {
  const double scaled = std::round(value / step) * step;
  return std::round(scaled * 1e6) / 1e6;  // 0.1 * 3 is not 0.3
}

std::string Format(std::int64_t unix_seconds, const char* format) {
  const std::time_t seconds = unix_seconds;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), format, &parts);
  return {text.data(), length};
}

std::string Utc(std::int64_t at) { return Format(at, "%Y-%m-%dT%H:%M:%SZ"); }

// As Health Auto Export writes it, for somebody who lives an hour east of Greenwich.
std::string Local(std::int64_t at) { return Format(at + kHour, "%Y-%m-%d %H:%M:%S +0100"); }

enum class Story { kNormal, kStressed, kWorkout, kSick };
constexpr std::array<const char*, 4> kStories = {"normal", "stressed", "workout", "sick"};
constexpr std::array<const char*, 12> kNames = {"nora", "theo",  "wanda", "simon", "nils", "tara",
                                                "will", "selma", "noel",  "tilda", "wes",  "sofia"};

struct Person {
  std::string user_id;
  Story story = Story::kNormal;
  Random random{0};
  double variability = 50;  // ms
  double resting = 58;      // /min
  double breathing = 14;    // /min
  double wrist = 35.4;      // Cel
};

// One day of one person: when they woke, and how far the story has come (0: as ever, 1: today).
struct Day {
  std::int64_t woke = 0;
  bool today = false;
  double sickness = 0;
};

class Writer {
 public:
  Writer(const SimulateOptions& options, const Credentials& credentials)
      : options_(options), credentials_(credentials) {}

  void Live(Person& person) {
    for (int ago = options_.days - 1; ago >= 0; --ago) {
      Day day;
      day.today = ago == 0;
      // Awake for two and a half hours: all of a day's readings lie before this time of day.
      day.woke = options_.now_unix - ago * kDay - 2 * kHour - 30 * kMinute;
      if (day.today) Evening(person, day);
      if (person.story == Story::kSick) {
        day.sickness = std::max(0.0, 1.0 - static_cast<double>(ago) / kSickDays);
      }
      switch (person.story) {
        case Story::kNormal:
          Night(person, day);
          Outing(person, day);
          break;
        case Story::kWorkout:
          Night(person, day);
          Workout(person, day);
          Outing(person, day);
          break;
        case Story::kStressed:
          Ring(person, day, ago);
          break;
        case Story::kSick:
          Export(person, day);
          break;
      }
    }
  }

  void Set() {
    Json samples = Json::array();
    for (const auto& [metric, value] : options_.set) {
      samples.push_back({{"type", SettableMetrics().at(metric)},
                         {"value", value},
                         {"timestamp", Utc(options_.now_unix)},
                         {"source", "simulate"}});
    }
    Samples(options_.user, "set", "values given", options_.now_unix, false, std::move(samples));
  }

  std::vector<Post> Take() {
    std::stable_sort(posts_.begin(), posts_.end(),
                     [](const Post& a, const Post& b) { return a.at < b.at; });
    return std::move(posts_);
  }

 private:
  static Json Sample(const char* type, double value, std::int64_t at) {
    return {{"type", type}, {"value", value}, {"timestamp", Utc(at)}, {"source", "Apple Watch"}};
  }

  static Json Span(const char* type, double value, std::int64_t from, std::int64_t to) {
    return {{"type", type},
            {"value", value},
            {"startDate", Utc(from)},
            {"endDate", Utc(to)},
            {"source", "Apple Watch"}};
  }

  void Night(Person& person, const Day& day) {
    Random& random = person.random;
    Json samples = Json::array();
    samples.push_back(
        Sample("heartRate", Round(random.Around(person.resting + 2, 2), 1), day.woke - 3 * kHour));
    samples.push_back(Sample("heartRateVariabilitySDNN",
                             Round(random.Around(person.variability, 4), 0.1),
                             day.woke - 2 * kHour));
    samples.push_back(Sample("respiratoryRate", Round(random.Around(person.breathing, 0.5), 0.1),
                             day.woke - 2 * kHour));
    samples.push_back(
        Sample("oxygenSaturation", Round(random.Around(0.97, 0.005), 0.001), day.woke - 2 * kHour));
    samples.push_back(
        Sample("restingHeartRate", Round(random.Around(person.resting, 1.5), 1), day.woke));
    // Core, deep, REM: the states as HealthKit numbers them.
    samples.push_back(Span("sleepAnalysis", 3, day.woke - 8 * kHour, day.woke - 4 * kHour));
    samples.push_back(Span("sleepAnalysis", 4, day.woke - 4 * kHour, day.woke - 2 * kHour));
    samples.push_back(Span("sleepAnalysis", 5, day.woke - 2 * kHour, day.woke));
    Samples(person, "night", day.woke, day, std::move(samples));
  }

  // The last hours before today's night, from the phone in everybody's pocket: young enough to
  // decide and calm, so that all go to bed in `pattern` and what switches today is today's.
  void Evening(Person& person, const Day& day) {
    for (const std::int64_t before : {11 * kHour, 10 * kHour}) {
      const std::int64_t at = day.woke - before;
      Json samples = Json::array();
      samples.push_back(
          Sample("heartRate", Round(person.random.Around(person.resting + 12, 3), 1), at));
      Samples(person, "evening", at, day, std::move(samples));
    }
  }

  void Outing(Person& person, const Day& day) {
    Random& random = person.random;
    const std::int64_t end = day.woke + 2 * kHour;
    Json samples = Json::array();
    samples.push_back(Sample("heartRate", Round(random.Around(person.resting + 16, 4), 1), end));
    samples.push_back(Span("stepCount", Round(random.Around(2400, 600), 1), end - kHour, end));
    Samples(person, "walk", end, day, std::move(samples));
  }

  void Workout(Person& person, const Day& day) {
    Random& random = person.random;
    const std::int64_t end = day.woke + 90 * kMinute;
    Json samples = Json::array();
    for (std::int64_t i = 6; i >= 0; --i) {
      Json sample = Sample("heartRate", Round(random.Around(143, 8), 1), end - i * 5 * kMinute);
      sample["context"] = "workout";
      samples.push_back(std::move(sample));
    }
    samples.push_back(
        Span("activeEnergyBurned", Round(random.Around(420, 40), 1), end - 30 * kMinute, end));
    Samples(person, "workout", end, day, std::move(samples));
  }

  // Oura's day ends at midnight UTC: yesterday's is not yet a day old, so it is no history.
  void Ring(Person& person, const Day& day, int ago) {
    if (ago == 1) return;
    Random& random = person.random;
    const double variability = random.Around(person.variability, 4) * (day.today ? 0.48 : 1.0);
    const double heart_rate = random.Around(person.resting, 2) + (day.today ? 9 : 0);
    const Json body = {{"event_type", "daily_sleep"},
                       {"user_id", person.user_id},
                       {"data",
                        {{"sleep",
                          {{"summary_date", Format(options_.now_unix - ago * kDay, "%Y-%m-%d")},
                           {"hrv", {{"average", Round(variability, 1)}}},
                           {"heart_rate", {{"average", Round(heart_rate, 1)}}}}}}}};
    Post post = Begin(person.user_id, "stressed", "night", day.woke, !day.today);
    post.provider = "oura";
    post.body = body.dump();
    if (!credentials_.oura_client_secret.empty()) {
      post.headers.emplace_back(
          "x-oura-signature",
          devices::EncodeHex(
              devices::Hmac(devices::Hash::kSha256, credentials_.oura_client_secret, post.body)));
    }
    posts_.push_back(std::move(post));
  }

  void Export(Person& person, const Day& day) {
    Random& random = person.random;
    const double ill = day.sickness;
    const auto point = [&](double value, double step, std::int64_t at) {
      return Json::array(
          {{{"date", Local(at)}, {"qty", Round(value, step)}, {"source", "Apple Watch"}}});
    };
    const auto metric = [](const char* name, const char* units, Json data) {
      return Json{{"name", name}, {"units", units}, {"data", std::move(data)}};
    };
    const std::int64_t night = day.woke - 2 * kHour;
    Json metrics = Json::array();
    const double calm = random.Around(person.resting + 8, 2) + 12 * ill;
    metrics.push_back(metric("heart_rate", "count/min",
                             Json::array({{{"date", Local(day.woke)},
                                           {"Min", Round(calm - 5, 1)},
                                           {"Avg", Round(calm, 0.1)},
                                           {"Max", Round(calm + 6, 1)},
                                           {"context", "Sedentary"},
                                           {"source", "Apple Watch"}}})));
    metrics.push_back(
        metric("heart_rate_variability", "ms",
               point(random.Around(person.variability, 3) * (1 - 0.1 * ill), 0.01, night)));
    metrics.push_back(metric("resting_heart_rate", "count/min",
                             point(random.Around(person.resting, 1.5) + 14 * ill, 1, day.woke)));
    metrics.push_back(metric("respiratory_rate", "count/min",
                             point(random.Around(person.breathing, 0.4) + 5 * ill, 0.1, night)));
    metrics.push_back(metric("blood_oxygen_saturation", "%",
                             point(random.Around(97, 0.6) - 6 * ill, 0.1, night)));
    metrics.push_back(metric("apple_sleeping_wrist_temperature", "degC",
                             point(random.Around(person.wrist, 0.15) + 1.5 * ill, 0.01, day.woke)));
    Post post = Begin(person.user_id, "sick", "night", day.woke, !day.today);
    post.provider = "healthkit";  // the route takes both shapes
    post.body = Json{{"data", {{"metrics", std::move(metrics)}}}}.dump();
    Authorize(&post, credentials_.export_key);
    post.headers.emplace_back("X-Auren-User", person.user_id);
    posts_.push_back(std::move(post));
  }

  Post Begin(const std::string& user, const char* story, const char* what, std::int64_t at,
             bool history) const {
    Post post;
    post.user_id = user;
    post.story = story;
    post.what = what;
    post.at = at;
    post.history = history;
    post.headers.emplace_back("Content-Type", "application/json");
    return post;
  }

  static void Authorize(Post* post, const std::string& key) {
    if (!key.empty()) post->headers.emplace_back("Authorization", "Bearer " + key);
  }

  void Samples(const Person& person, const char* what, std::int64_t at, const Day& day,
               Json samples) {
    Samples(person.user_id, kStories[static_cast<std::size_t>(person.story)], what, at, !day.today,
            std::move(samples));
  }

  void Samples(const std::string& user, const char* story, const char* what, std::int64_t at,
               bool history, Json samples) {
    Post post = Begin(user, story, what, at, history);
    post.provider = "healthkit";
    post.body = Json{{"user_id", user}, {"samples", std::move(samples)}}.dump();
    Authorize(&post, credentials_.healthkit_key);
    posts_.push_back(std::move(post));
  }

  const SimulateOptions& options_;
  const Credentials& credentials_;
  std::vector<Post> posts_;
};

Person Born(const SimulateOptions& options, int number) {
  Person person;
  person.random = Random(options.seed * 1000003 + static_cast<std::uint64_t>(number));
  person.story = static_cast<Story>(number % 4);
  person.user_id = kNames[static_cast<std::size_t>(number) % kNames.size()];
  if (number >= static_cast<int>(kNames.size())) person.user_id += "_" + std::to_string(number);
  person.variability = person.random.Around(person.story == Story::kStressed ? 64 : 52, 6);
  person.resting = person.random.Around(56, 3);
  person.breathing = person.random.Around(14.2, 0.8);
  person.wrist = person.random.Around(35.4, 0.3);
  return person;
}

// The first key of a comma list of KEY or KEY:USER that is bound to nobody.
std::string UnboundKey(const std::string& list) {
  std::size_t begin = 0;
  while (begin < list.size()) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string key = list.substr(begin, end - begin);
    if (!key.empty() && key.find(':') == std::string::npos) return key;
    begin = end + 1;
  }
  return "";
}

}  // namespace

Credentials Credentials::From(const std::map<std::string, std::string>& environment) {
  const auto value = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  Credentials credentials;
  credentials.oura_client_secret = value("OURA_CLIENT_SECRET");
  credentials.oura_client_secret.resize(
      std::min(credentials.oura_client_secret.find(','), credentials.oura_client_secret.size()));
  credentials.healthkit_key = UnboundKey(value("HEALTHKIT_API_KEYS"));
  credentials.export_key = UnboundKey(value("HEALTH_AUTO_EXPORT_API_KEYS"));
  if (credentials.export_key.empty()) credentials.export_key = credentials.healthkit_key;
  return credentials;
}

const std::map<std::string, std::string>& SettableMetrics() {
  static const std::map<std::string, std::string> metrics = {
      {"heart_rate", "heartRate"},
      {"resting_heart_rate", "restingHeartRate"},
      {"walking_heart_rate_average", "walkingHeartRateAverage"},
      {"hrv_sdnn", "heartRateVariabilitySDNN"},
      {"respiratory_rate", "respiratoryRate"},
      {"body_temperature", "bodyTemperature"},
      {"step_count", "stepCount"},
      {"stress_level", "stress_level"},
      {"recovery_score", "recovery_score"},
      {"vo2_max", "vo2Max"},
      {"blood_pressure_systolic", "bloodPressureSystolic"},
      {"blood_pressure_diastolic", "bloodPressureDiastolic"}};
  return metrics;
}

std::vector<Post> Simulate(const SimulateOptions& options, const Credentials& credentials) {
  Writer writer(options, credentials);
  if (!options.user.empty()) {
    writer.Set();
    return writer.Take();
  }
  for (int number = 0; number < options.people; ++number) {
    Person person = Born(options, number);
    writer.Live(person);
  }
  return writer.Take();
}

std::string ToLine(const Post& post) {
  Json headers = Json::object();
  for (const auto& [name, value] : post.headers) headers[name] = value;
  return Json{{"provider", post.provider}, {"headers", std::move(headers)}, {"body", post.body}}
      .dump();
}

}  // namespace auren::app
