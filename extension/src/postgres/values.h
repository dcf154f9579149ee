// Between PostgreSQL's values and C++: text, arrays, jsonb. Everything is palloc'ed or borrowed;
// nothing here owns memory.
#pragma once

#include "postgres/backend.h"

namespace auren::pg {

// The bytes of a detoasted text, valid as long as the text is.
inline std::string_view View(const text* value) {
  return {VARDATA_ANY(value), static_cast<size_t>(VARSIZE_ANY_EXHDR(value))};
}

inline text* Text(std::string_view value) {
  return cstring_to_text_with_len(value.data(), static_cast<int>(value.size()));
}

inline char* CString(std::string_view value) { return pnstrdup(value.data(), value.size()); }

// Detoasted arguments; nullptr for SQL NULL.
text* TextArgument(FunctionCallInfo fcinfo, int argument);
Jsonb* JsonbArgument(FunctionCallInfo fcinfo, int argument);
pg_uuid_t* UuidArgument(FunctionCallInfo fcinfo, int argument);

// Reads a UUID from its text form; false when it is none.
bool ParseUuid(std::string_view value, pg_uuid_t* uuid);

inline bool operator==(const pg_uuid_t& a, const pg_uuid_t& b) {
  return memcmp(a.data, b.data, UUID_LEN) == 0;
}

// The elements of a one-dimensional array (an empty one has none). 22023 for more dimensions.
struct Elements {
  Datum* values;
  bool* is_null;
  int count;
};
Elements ElementsOf(ArrayType* array, Oid element_type, const char* name);

// A member of a jsonb object; false when the key is absent. The value points into `object`.
bool Member(const JsonbContainer* object, std::string_view key, JsonbValue* value);
inline bool Member(const Jsonb* object, std::string_view key, JsonbValue* value) {
  return JB_ROOT_IS_OBJECT(object) && Member(&object->root, key, value);
}

inline bool IsObject(const JsonbValue& value) {
  return value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data);
}
inline bool IsArray(const JsonbValue& value) {
  return value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data);
}

// The bytes of a jbvString.
inline std::string_view View(const JsonbValue& string) {
  return {string.val.string.val, static_cast<size_t>(string.val.string.len)};
}

// A member that is a text; empty when the key is absent or something else.
std::string_view TextMember(const Jsonb* object, std::string_view key);

// A jbvNumeric as double. jsonb holds no NaN; what a double cannot hold becomes infinite.
double Double(const JsonbValue& number);

// Builds a jsonb object or array, one member after the other, nested as needed:
//
//   JsonbBuilder json;
//   json.BeginObject();
//   json.Add("user_id", user_id);
//   json.Key("factors"); json.BeginArray(); ... json.EndArray();
//   json.EndObject();
//   Jsonb *result = json.Finish();
//
// Strings are borrowed until Finish. Trivially destructible: an ERROR on the way harms nothing.
class JsonbBuilder {
 public:
  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();

  void Key(std::string_view key);
  // A value: in an array, or after Key.
  void String(std::string_view value);
  void Number(double value);  // SQL has no JSON NaN: NaN and infinity become null
  void Integer(int64 value);
  void Bool(bool value);
  void Null();
  void Timestamp(TimestampTz value);    // ISO 8601 in UTC
  void Value(const JsonbValue& value);  // any value, also one found by Member
  void Document(const Jsonb* value);    // a whole jsonb, also a scalar one

  void Add(std::string_view key, std::string_view value) { Key(key), String(value); }
  void Add(std::string_view key, const char* value) { Key(key), String(value); }
  void Add(std::string_view key, double value) { Key(key), Number(value); }
  void Add(std::string_view key, int64 value) { Key(key), Integer(value); }
  void Add(std::string_view key, int value) { Key(key), Integer(value); }
  void Add(std::string_view key, bool value) { Key(key), Bool(value); }

  // REQUIRES: what was begun has been ended.
  Jsonb* Finish();

 private:
  void Push(const JsonbValue& value);

  JsonbParseState* state_ = nullptr;
  JsonbValue* result_ = nullptr;
};

Jsonb* EmptyObject();  // {}

}  // namespace auren::pg
