#include "postgres/param.h"

#include <arpa/inet.h>

namespace auren::postgres {
namespace {

// Type numbers of the catalogue; fixed for good.
constexpr Oid kText = 25, kBytea = 17, kTextArray = 1009, kJsonb = 3802, kJsonbArray = 3807,
              kByteaArray = 1001, kInt4 = 23, kInt4Array = 1007, kInt8 = 20, kInt8Array = 1016;

void AppendInt32(std::int32_t value, std::string* out) {
  const std::uint32_t network = htonl(static_cast<std::uint32_t>(value));
  out->append(reinterpret_cast<const char*>(&network), sizeof(network));
}

void AppendInt64(std::int64_t value, std::string* out) {
  AppendInt32(static_cast<std::int32_t>(value >> 32), out);
  AppendInt32(static_cast<std::int32_t>(value), out);
}

// The head of a binary one-dimensional array, as array_recv reads it.
std::string ArrayHead(std::size_t count, bool has_null, Oid element) {
  std::string out;
  AppendInt32(count == 0 ? 0 : 1, &out);  // dimensions
  AppendInt32(has_null ? 1 : 0, &out);
  AppendInt32(static_cast<std::int32_t>(element), &out);
  if (count > 0) {
    AppendInt32(static_cast<std::int32_t>(count), &out);
    AppendInt32(1, &out);  // lower bound
  }
  return out;
}

// An array of texts or byte strings, whose binary form is what they hold.
Param Strings(const std::vector<std::optional<std::string>>& values, Oid element, Oid array) {
  bool has_null = false;
  for (const auto& value : values) has_null |= !value.has_value();
  Param param;
  param.type = array;
  param.format = 1;
  param.data = ArrayHead(values.size(), has_null, element);
  for (const auto& value : values) {
    AppendInt32(value ? static_cast<std::int32_t>(value->size()) : -1, &param.data);
    if (value) param.data.append(*value);
  }
  return param;
}

}  // namespace

Param Param::Null() {
  Param param;
  param.type = kText;
  param.null = true;
  return param;
}

Param Param::Text(std::string_view value) {
  Param param;
  param.type = kText;
  param.format = 1;  // text's binary form is the text: no copy for a terminating NUL, no escapes
  param.data = value;
  return param;
}

Param Param::Bytes(std::string_view value) {
  Param param = Text(value);
  param.type = kBytea;
  return param;
}

Param Param::Texts(const std::vector<std::optional<std::string>>& values) {
  return Strings(values, kText, kTextArray);
}

Param Param::ByteArrays(const std::vector<std::optional<std::string>>& values) {
  return Strings(values, kBytea, kByteaArray);
}

Param Param::Ints(const std::vector<std::int32_t>& values) {
  Param param;
  param.type = kInt4Array;
  param.format = 1;
  param.data = ArrayHead(values.size(), false, kInt4);
  for (const std::int32_t value : values) {
    AppendInt32(sizeof(value), &param.data);
    AppendInt32(value, &param.data);
  }
  return param;
}

Param Param::Bigints(const std::vector<std::int64_t>& values) {
  Param param;
  param.type = kInt8Array;
  param.format = 1;
  param.data = ArrayHead(values.size(), false, kInt8);
  for (const std::int64_t value : values) {
    AppendInt32(sizeof(value), &param.data);
    AppendInt64(value, &param.data);
  }
  return param;
}

Param Param::Jsonbs(const std::vector<std::string_view>& values) {
  std::size_t bytes = 32;
  for (const std::string_view value : values) bytes += value.size() + 5;
  Param param;
  param.type = kJsonbArray;
  param.format = 1;
  param.data = ArrayHead(values.size(), false, kJsonb);
  param.data.reserve(bytes);
  for (const std::string_view value : values) {
    AppendInt32(static_cast<std::int32_t>(value.size() + 1), &param.data);
    param.data.push_back('\x01');  // jsonb's wire version
    param.data.append(value);
  }
  return param;
}

}  // namespace auren::postgres
