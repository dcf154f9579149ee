#include "ops/log.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>

#include "ops/clock.h"

namespace auren::ops::log {
namespace {

std::atomic<Level> g_level{Level::kInfo};

// The sink and the key: changed rarely, so one lock serves both.
std::mutex g_mutex;
std::function<void(const std::string&)> g_sink;
std::string g_user_key;

spdlog::logger& Stderr() {
  static spdlog::logger logger = [] {
    spdlog::logger made("auren", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%v");  // the line is JSON already
    made.set_level(spdlog::level::trace);
    made.flush_on(spdlog::level::trace);
    return made;
  }();
  return logger;
}

// As JSON; a byte that is no UTF-8 or a control character is shown by its number, so that nothing a
// client sent can break a line or a terminal.
void AppendQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", byte);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

void Write(Level level, const char* name, std::string_view component, std::string_view msg,
           Fields fields) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  std::string line = fmt::format(R"({{"ts":"{}","level":"{}","msg":)",
                                 Rfc3339(std::chrono::system_clock::now()), name);
  AppendQuoted(msg, &line);
  line += ",\"component\":";
  AppendQuoted(component, &line);
  for (const Field& field : fields) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      if (text->empty()) continue;
    }
    line += ',';
    AppendQuoted(field.key, &line);
    line += ':';
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      AppendQuoted(*text, &line);
    } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
      line += std::to_string(*integer);
    } else {
      const double number = std::get<double>(field.value);
      line += std::isfinite(number) ? fmt::format("{:.3f}", number) : "null";
    }
  }
  line += '}';
  const std::lock_guard lock(g_mutex);
  if (g_sink) {
    g_sink(line);
  } else {
    Stderr().info(line);
  }
}

}  // namespace

void Debug(std::string_view component, std::string_view msg, Fields fields) {
  Write(Level::kDebug, "debug", component, msg, fields);
}
void Info(std::string_view component, std::string_view msg, Fields fields) {
  Write(Level::kInfo, "info", component, msg, fields);
}
void Warn(std::string_view component, std::string_view msg, Fields fields) {
  Write(Level::kWarn, "warn", component, msg, fields);
}
void Error(std::string_view component, std::string_view msg, Fields fields) {
  Write(Level::kError, "error", component, msg, fields);
}

bool SetLevel(std::string_view level) {
  constexpr std::array<std::pair<std::string_view, Level>, 4> kLevels = {
      {{"debug", Level::kDebug},
       {"info", Level::kInfo},
       {"warn", Level::kWarn},
       {"error", Level::kError}}};
  for (const auto& [name, value] : kLevels) {
    if (name == level) {
      g_level = value;
      return true;
    }
  }
  return false;
}

void SetSink(std::function<void(const std::string& line)> sink) {
  const std::lock_guard lock(g_mutex);
  g_sink = std::move(sink);
}

void SetUserHashKey(std::string_view key) {
  bool drawn = false;
  {
    const std::lock_guard lock(g_mutex);
    if (!key.empty()) {
      g_user_key = key;
    } else if (g_user_key.empty()) {
      g_user_key.resize(32);
      RAND_bytes(reinterpret_cast<unsigned char*>(g_user_key.data()), 32);
      drawn = true;
    }
  }
  if (drawn) {
    Info("log", "log.user_hash_key is not set: user_h is of this start only");
  }
}

std::string UserHash(std::string_view user_id) {
  if (user_id.empty()) return {};
  std::string key;
  {
    const std::lock_guard lock(g_mutex);
    key = g_user_key;
  }
  if (key.empty()) {
    SetUserHashKey({});
    return UserHash(user_id);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(user_id.data()), user_id.size(), mac.data(), &length);
  std::string text;
  for (int i = 0; i < 6; ++i) text += fmt::format("{:02x}", mac[i]);
  return text;
}

}  // namespace auren::ops::log
