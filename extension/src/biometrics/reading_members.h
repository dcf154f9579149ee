// The members of a sent reading that mean something, found in one pass over its object: to look
// each up by itself costs as much as all the rest of reading it.
#pragma once

#include <string_view>

#include "postgres/backend.h"

extern "C" {
#include "utils/jsonb.h"
}

namespace auren::biometrics {

enum class Member {
  kMetric,
  kValue,
  kStart,
  kEnd,
  kUnit,
  kStatistic,
  kContext,
  kSource,
  kExternalId,
  kFlags,
  kDeleted,
  kMapped
};
inline constexpr int kMembers = static_cast<int>(Member::kMapped) + 1;

class ReadingMembers {
 public:
  // Borrows what it finds from the object.
  explicit ReadingMembers(const JsonbContainer* object);

  // nullptr: absent.
  const JsonbValue* At(Member member) const {
    const int i = static_cast<int>(member);
    return is_there_[i] ? &values_[i] : nullptr;
  }
  // nullptr: absent, or null, which for an optional member is the same.
  const JsonbValue* Find(Member member) const {
    const JsonbValue* value = At(member);
    return value == nullptr || value->type == jbvNull ? nullptr : value;
  }

 private:
  JsonbValue values_[kMembers];
  bool is_there_[kMembers] = {};
};

}  // namespace auren::biometrics
