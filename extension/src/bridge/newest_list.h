// The newest reading of each device and metric of one person, as a list that is folded, packed and
// read again.
#pragma once

#include "postgres/backend.h"

namespace auren::bridge {

// A reading as far as decisions need it. An absent text is empty. Texts are borrowed.
struct NewestOf {
  std::string_view device;
  std::string_view metric;
  TimestampTz start;
  TimestampTz end;  // = start unless has_end
  bool has_end;
  double value;
  int32 day;        // the person's local one on which it ended
  uint64 document;  // hash of the vendor document it belongs to; 0: of none
  std::string_view source;
  std::string_view statistic;
  std::string_view context;
};

// Whether both have the key that makes two readings the same one.
bool SameKey(const NewestOf& a, const NewestOf& b);

// What NewestOf::document holds for an external_id.
uint64 DocumentHash(std::string_view external_id);

// Each device and metric once. Lives in the memory context that was current when it grew.
class NewestList {
 public:
  // nullptr when there is none.
  const NewestOf* Find(std::string_view device, std::string_view metric) const;

  // Keeps the reading unless a newer one is kept; in place of one with the same key.
  void Fold(const NewestOf& reading);

  NewestList Copy() const;

  const NewestOf* begin() const { return items_; }
  const NewestOf* end() const { return items_ + count_; }

  // As neuros.person_states.newest: the same on every machine. Unpacked texts borrow from `packed`.
  bytea* Pack() const;
  static NewestList Unpack(bytea* packed);

 private:
  void Append(const NewestOf& reading);

  NewestOf* items_ = nullptr;
  int count_ = 0;
  int capacity_ = 0;
};

}  // namespace auren::bridge
