#include "postgres/values.h"

#include <cmath>

extern "C" {
#include "common/shortest_dec.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
}

namespace auren::pg {

text* TextArgument(FunctionCallInfo fcinfo, int argument) {
  return PG_ARGISNULL(argument) ? nullptr : PG_GETARG_TEXT_PP(argument);
}

Jsonb* JsonbArgument(FunctionCallInfo fcinfo, int argument) {
  return PG_ARGISNULL(argument) ? nullptr : PG_GETARG_JSONB_P(argument);
}

pg_uuid_t* UuidArgument(FunctionCallInfo fcinfo, int argument) {
  return PG_ARGISNULL(argument) ? nullptr : PG_GETARG_UUID_P(argument);
}

bool ParseUuid(std::string_view value, pg_uuid_t* uuid) {
  // The canonical form only, so that no cast that raises is needed: 8-4-4-4-12 hexadecimal digits.
  if (value.size() != 36) return false;
  int nibbles = 0;
  for (size_t i = 0; i < value.size(); i++) {
    const char c = value[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return false;
      continue;
    }
    int digit;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else {
      return false;
    }
    unsigned char& byte = uuid->data[nibbles / 2];
    byte = static_cast<unsigned char>(nibbles % 2 == 0 ? digit << 4 : byte | digit);
    nibbles++;
  }
  return true;
}

Elements ElementsOf(ArrayType* array, Oid element_type, const char* name) {
  if (ARR_NDIM(array) > 1) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s must be an array of one dimension", name)));
  }
  int16 length;
  bool by_value;
  char alignment;
  get_typlenbyvalalign(element_type, &length, &by_value, &alignment);
  Elements elements;
  deconstruct_array(array, element_type, length, by_value, alignment, &elements.values,
                    &elements.is_null, &elements.count);
  return elements;
}

bool Member(const JsonbContainer* object, std::string_view key, JsonbValue* value) {
  return getKeyJsonValueFromContainer(const_cast<JsonbContainer*>(object), key.data(),
                                      static_cast<int>(key.size()), value) != nullptr;
}

std::string_view TextMember(const Jsonb* object, std::string_view key) {
  JsonbValue value;
  if (!Member(object, key, &value) || value.type != jbvString) return {};
  return View(value);
}

double Double(const JsonbValue& number) {
  return DatumGetFloat8(
      DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(number.val.numeric)));
}

void JsonbBuilder::BeginObject() { result_ = pushJsonbValue(&state_, WJB_BEGIN_OBJECT, nullptr); }
void JsonbBuilder::EndObject() { result_ = pushJsonbValue(&state_, WJB_END_OBJECT, nullptr); }
void JsonbBuilder::BeginArray() { result_ = pushJsonbValue(&state_, WJB_BEGIN_ARRAY, nullptr); }
void JsonbBuilder::EndArray() { result_ = pushJsonbValue(&state_, WJB_END_ARRAY, nullptr); }

void JsonbBuilder::Key(std::string_view key) {
  JsonbValue value;
  value.type = jbvString;
  value.val.string.val = const_cast<char*>(key.data());
  value.val.string.len = static_cast<int>(key.size());
  result_ = pushJsonbValue(&state_, WJB_KEY, &value);
}

// A value belongs to the key before it in an object, to the list in an array.
void JsonbBuilder::Push(const JsonbValue& value) {
  const JsonbIteratorToken token = state_->contVal.type == jbvObject ? WJB_VALUE : WJB_ELEM;
  result_ = pushJsonbValue(&state_, token, const_cast<JsonbValue*>(&value));
}

void JsonbBuilder::String(std::string_view text) {
  JsonbValue value;
  value.type = jbvString;
  value.val.string.val = const_cast<char*>(text.data());
  value.val.string.len = static_cast<int>(text.size());
  Push(value);
}

void JsonbBuilder::Number(double number) {
  if (!std::isfinite(number)) return Null();
  // The shortest digits that read back as the same double; float8_numeric would keep only 15.
  char digits[DOUBLE_SHORTEST_DECIMAL_LEN];
  double_to_shortest_decimal_buf(number, digits);
  JsonbValue value;
  value.type = jbvNumeric;
  value.val.numeric = DatumGetNumeric(DirectFunctionCall3(
      numeric_in, CStringGetDatum(digits), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
  Push(value);
}

void JsonbBuilder::Integer(int64 number) {
  JsonbValue value;
  value.type = jbvNumeric;
  value.val.numeric = int64_to_numeric(number);
  Push(value);
}

void JsonbBuilder::Bool(bool boolean) {
  JsonbValue value;
  value.type = jbvBool;
  value.val.boolean = boolean;
  Push(value);
}

void JsonbBuilder::Null() {
  JsonbValue value;
  value.type = jbvNull;
  Push(value);
}

void JsonbBuilder::Timestamp(TimestampTz time) {
  const int utc = 0;
  char* buffer = static_cast<char*>(palloc(MAXDATELEN + 1));
  String(JsonEncodeDateTime(buffer, TimestampTzGetDatum(time), TIMESTAMPTZOID, &utc));
}

void JsonbBuilder::Value(const JsonbValue& value) { Push(value); }

void JsonbBuilder::Document(const Jsonb* document) {
  JsonbValue value;
  if (JB_ROOT_IS_SCALAR(document)) {
    JsonbExtractScalar(const_cast<JsonbContainer*>(&document->root), &value);
  } else {
    value.type = jbvBinary;
    value.val.binary.data = const_cast<JsonbContainer*>(&document->root);
    value.val.binary.len = static_cast<int>(VARSIZE(document) - VARHDRSZ);
  }
  Push(value);
}

Jsonb* JsonbBuilder::Finish() { return JsonbValueToJsonb(result_); }

Jsonb* EmptyObject() {
  JsonbBuilder json;
  json.BeginObject();
  json.EndObject();
  return json.Finish();
}

}  // namespace auren::pg
