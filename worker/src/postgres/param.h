// A statement's parameter, in the form the server reads fastest: binary wherever that is the
// shorter way, with the type's number given, so that nothing is guessed.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auren::postgres {

class Param {
 public:
  static Param Null();
  static Param Text(std::string_view value);
  static Param Bytes(std::string_view value);                                      // bytea
  static Param Texts(const std::vector<std::optional<std::string>>& values);       // text[]
  static Param ByteArrays(const std::vector<std::optional<std::string>>& values);  // bytea[]
  static Param Ints(const std::vector<std::int32_t>& values);                      // integer[]
  static Param Bigints(const std::vector<std::int64_t>& values);                   // bigint[]
  static Param Jsonbs(const std::vector<std::string_view>& values);                // jsonb[]

  Oid type = 0;
  bool null = false;
  int format = 0;  // 0 text, 1 binary
  std::string data;
};

}  // namespace auren::postgres
