#include "events/names.h"

#include "postgres/values.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace auren::events {
namespace {

constexpr int kShownBytes = 80;  // of a name in a message

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsLowerOrDigit(char c) { return IsLower(c) || (c >= '0' && c <= '9'); }

// A name as it is shown in a message: its beginning, cut between characters.
const char* Shown(std::string_view name) {
  const int length = static_cast<int>(name.size());
  if (length <= kShownBytes) return pg::CString(name);
  return psprintf("%s...", pg::CString({name.data(), static_cast<size_t>(pg_mbcliplen(
                                                         name.data(), length, kShownBytes))}));
}

[[noreturn]] void RefuseNull(const char* what) {
  ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", what)));
  pg_unreachable();
}

[[noreturn]] void RefuseStreamId(std::string_view id, const char* detail) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("invalid stream id \"%s\"", Shown(id)), errdetail("%s", detail),
                  errhint("A stream id is category:id, for example \"user:123\".")));
  pg_unreachable();
}

bool IsCategory(std::string_view name) {
  if (name.empty() || !IsLower(name.front())) return false;
  for (const char c : name) {
    if (!IsLowerOrDigit(c) && c != '_') return false;
  }
  return true;
}

// ASCII control characters, and in UTF-8 those from U+0080 to U+009F.
bool HasControlCharacter(std::string_view name) {
  const bool utf8 = GetDatabaseEncoding() == PG_UTF8;
  for (size_t i = 0; i < name.size(); i++) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (utf8 && byte == 0xc2 && i + 1 < name.size() &&
        static_cast<unsigned char>(name[i + 1]) < 0xa0) {
      return true;
    }
  }
  return false;
}

// [a-z][a-z0-9]*(_[a-z0-9]+)*
bool IsSnakeCase(std::string_view name) {
  if (name.empty() || !IsLower(name.front()) || name.back() == '_') return false;
  for (size_t i = 1; i < name.size(); i++) {
    if (name[i] == '_' ? name[i - 1] == '_' : !IsLowerOrDigit(name[i])) return false;
  }
  return true;
}

void CheckDocument(const Jsonb* document, const char* what) {
  if (!JB_ROOT_IS_OBJECT(document)) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be a JSON object", what),
             errhint("Put the value under a key, for example {\"value\": 1}.")));
  }
  const size_t size = VARSIZE_ANY_EXHDR(document);
  if (size > kMaxDocument) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s is too large", what),
                    errdetail("It takes %zu bytes; at most %zu are allowed.", size, kMaxDocument),
                    errhint("Store large content elsewhere and append a reference to it.")));
  }
}

}  // namespace

void CheckStreamId(const text* stream_id) {
  if (stream_id == nullptr) RefuseNull("stream id");
  const std::string_view id = pg::View(stream_id);
  if (id.size() > kMaxStreamId) {
    RefuseStreamId(id,
                   psprintf("It has %zu bytes; at most %zu are allowed.", id.size(), kMaxStreamId));
  }
  const size_t colon = id.find(':');
  if (colon == std::string_view::npos) RefuseStreamId(id, "It has no colon.");
  if (!IsCategory(id.substr(0, colon))) {
    RefuseStreamId(id, "The category starts with a letter and has only a-z, 0-9 and _.");
  }
  if (colon + 1 == id.size()) RefuseStreamId(id, "Nothing follows the colon.");
  if (HasControlCharacter(id.substr(colon + 1))) {
    RefuseStreamId(id, "It holds a control character.");
  }
}

void CheckEventType(const text* event_type) {
  if (event_type == nullptr) RefuseNull("event type");
  const std::string_view type = pg::View(event_type);
  if (type.size() > kMaxEventType || !IsSnakeCase(type)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("invalid event type \"%s\"", Shown(type)),
                    errhint("An event type is snake_case with at most %zu bytes, for example "
                            "\"order_placed\".",
                            kMaxEventType)));
  }
}

void CheckEventData(const Jsonb* event_data) {
  if (event_data == nullptr) RefuseNull("event data");
  CheckDocument(event_data, "event data");
}

void CheckMetadata(const Jsonb* metadata) {
  if (metadata != nullptr) CheckDocument(metadata, "metadata");
}

}  // namespace auren::events
