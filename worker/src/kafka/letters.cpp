#include "kafka/letters.h"

#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "ingest/json_text.h"

namespace auren::kafka {
namespace {

using postgres::Param;

constexpr char kAdd[] =
    "SELECT bridge.add_dead_letters($1, $2::int[], $3::bigint[], $4::bytea[], $5::bytea[],"
    " $6::text[]::jsonb[], $7::text[], $8::text[], $9::text[], $10::text[]::uuid[])";

// A text as PostgreSQL can hold it inside a JSON document.
bool IsText(std::string_view bytes) {
  return simdjson::validate_utf8(bytes.data(), bytes.size()) &&
         bytes.find('\0') == std::string_view::npos;
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      return false;
    }
  }
  return true;
}

std::string Base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

void AppendBytes(std::string_view name, std::string_view bytes, std::string* out) {
  const bool text = IsText(bytes);
  out->append(text ? "\"" + std::string(name) + "\":" : "\"base64\":");
  ingest::AppendJsonString(text ? std::string(bytes) : Base64(bytes), out);
}

std::optional<std::string> OrNull(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// The member of a refusal's problem, which is our own extension's or our own text.
std::string Member(const simdjson::dom::element& problem, const char* name) {
  std::string_view text;
  return problem[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

}  // namespace

Refusal RefusalOf(const Item& item, const ingest::Outcome& outcome) {
  // What a record can be refused for; the rest of ingest_batch's codes say that its shape is wrong.
  static constexpr std::array<std::string_view, 10> kReasons = {
      "malformed",         "unknown_content_type", "empty_value",       "too_large",
      "invalid_name",      "event_id_conflict",    "no_usable_reading", "sql_error",
      "stream_tombstoned", "user_mismatch"};
  Refusal letter;
  letter.item = &item;
  const std::string_view id = item.record.HeaderText("ce_id");
  if (IsUuid(id)) letter.event_id = id;
  letter.reason = "wrong_shape";
  simdjson::dom::parser parser;
  simdjson::dom::element problem;
  if (parser.parse(outcome.problem).get(problem) == simdjson::SUCCESS) {
    const std::string code = Member(problem, "code");
    if (std::find(kReasons.begin(), kReasons.end(), code) != kReasons.end()) letter.reason = code;
    letter.detail = Member(problem, "detail");
    letter.sqlstate = Member(problem, "sqlstate");
  }
  return letter;
}

std::string HeadersJson(const std::vector<Header>& headers) {
  std::string json = "[";
  for (const Header& header : headers) {
    if (json.size() > 1) json += ',';
    json += "{";
    // A name that is no text cannot be one here either; its bytes are shown, not lost.
    ingest::AppendJsonString("key", &json);
    json += ':';
    ingest::AppendJsonString(IsText(header.key) ? header.key : "base64:" + Base64(header.key),
                             &json);
    json += ',';
    if (header.value) {
      AppendBytes("value", *header.value, &json);
    } else {
      json += "\"value\":null";
    }
    json += '}';
  }
  return json + ']';
}

postgres::Statement AddLetters(const std::vector<Refusal>& letters) {
  std::vector<std::int32_t> partitions;
  std::vector<std::int64_t> offsets;
  std::vector<std::optional<std::string>> keys, values, headers, reasons, sqlstates, details, ids;
  for (const Refusal& letter : letters) {
    const Record& record = letter.item->record;
    partitions.push_back(record.partition);
    offsets.push_back(record.offset);
    keys.push_back(record.key);
    values.push_back(record.value);
    headers.emplace_back(HeadersJson(record.headers));
    reasons.emplace_back(letter.reason);
    sqlstates.push_back(OrNull(letter.sqlstate));
    details.push_back(OrNull(letter.detail));
    ids.push_back(OrNull(letter.event_id));
  }
  return {kAdd,
          {Param::Text(letters.front().item->record.topic), Param::Ints(partitions),
           Param::Bigints(offsets), Param::ByteArrays(keys), Param::ByteArrays(values),
           Param::Texts(headers), Param::Texts(reasons), Param::Texts(sqlstates),
           Param::Texts(details), Param::Texts(ids)}};
}

}  // namespace auren::kafka
