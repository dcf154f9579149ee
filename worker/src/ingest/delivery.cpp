#include "ingest/delivery.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <stdexcept>

#include "ingest/json_text.h"

namespace auren::ingest {
namespace {

// The namespace of all event ids: UUIDv5 of the DNS namespace and "auren".
constexpr std::array<std::uint8_t, 16> kNamespace = {
    0x33, 0x4c, 0x9f, 0x40, 0x97, 0x14, 0x58, 0x6f, 0xad, 0xfd, 0x1a, 0xa7, 0x31, 0x60, 0x21, 0x70};
constexpr char kHex[] = "0123456789abcdef";

// Writes the members of one JSON object; knows when a comma is due.
class Members {
 public:
  explicit Members(std::string* out) : out_(out) { out_->push_back('{'); }
  ~Members() { out_->push_back('}'); }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  void Text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    AppendJsonString(value, &Name(key));
  }
  // `value` is JSON already.
  void Raw(std::string_view key, std::string_view value) { Name(key).append(value); }

  // Appends the name and the colon; the caller appends the value.
  std::string& Name(std::string_view key) {
    if (!first_) out_->push_back(',');
    first_ = false;
    out_->push_back('"');
    out_->append(key).append("\":");
    return *out_;
  }

 private:
  std::string* out_;
  bool first_ = true;
};

void AppendReading(const Reading& reading, std::string* out) {
  Members members(out);
  members.Text("metric", reading.metric);
  members.Raw("value", reading.value.empty() ? "null" : reading.value);
  members.Text("start", reading.start);
  members.Text("end", reading.end);
  members.Text("unit", reading.unit);
  members.Text("statistic", reading.statistic);
  members.Text("context", reading.context);
  members.Text("source", reading.source);
  members.Text("external_id", reading.external_id);
  if (!reading.flags.empty()) {
    members.Name("flags").push_back('[');
    for (const std::string& flag : reading.flags) {
      if (&flag != &reading.flags.front()) out->push_back(',');
      AppendJsonString(flag, out);
    }
    out->push_back(']');
  }
  if (reading.deleted) members.Raw("deleted", "true");
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (byte >= 0x20) {
      out->push_back(c);
    } else {
      out->append("\\u00");
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 0xf]);
    }
  }
  out->push_back('"');
}

std::string ToJson(const Delivery& delivery) {
  std::string out;
  out.reserve(256 + 160 * delivery.readings.size());
  {
    Members members(&out);
    members.Text("source", delivery.source);
    members.Text("delivery_id", delivery.delivery_id);
    members.Text("user_id", delivery.user_id);
    members.Text("event_type", delivery.event_type);
    members.Text("received_at", delivery.received_at);
    members.Text("trace_id", delivery.trace_id);
    members.Text("key_name", delivery.key_name);
    members.Name("readings").push_back('[');
    for (const Reading& reading : delivery.readings) {
      if (&reading != &delivery.readings.front()) out.push_back(',');
      AppendReading(reading, &out);
    }
    out.push_back(']');
  }
  return out;
}

std::string EventId(std::string_view source, std::string_view delivery_id) {
  std::string name(reinterpret_cast<const char*>(kNamespace.data()), kNamespace.size());
  name.append(source).append("/").append(delivery_id);

  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  if (EVP_Digest(name.data(), name.size(), hash.data(), &length, EVP_sha1(), nullptr) != 1 ||
      length < 16) {
    throw std::runtime_error("SHA-1 is not available in this OpenSSL");
  }
  hash[6] = (hash[6] & 0x0f) | 0x50;  // version 5
  hash[8] = (hash[8] & 0x3f) | 0x80;  // the RFC's variant

  std::string text;
  text.reserve(36);
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kHex[hash[i] >> 4]);
    text.push_back(kHex[hash[i] & 0xf]);
  }
  return text;
}

}  // namespace auren::ingest
