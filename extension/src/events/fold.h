// The default fold of a stream: a shallow merge of event_data in version order. Later keys win; a
// key whose value is JSON null is removed.
//
// It is taken backwards, newest event first: the first value seen for a key is the final one, older
// ones are skipped unread. One pass, memory for one value per distinct key, however long the
// stream.
#pragma once

#include "postgres/backend.h"

namespace auren::events {

class Fold {
 public:
  // Allocates in the current memory context, and keeps allocating there.
  void Begin();

  // Takes one event's data, older than all before. It may be freed afterwards.
  void Take(const Jsonb* event_data);

  // The state as a JSON object.
  Jsonb* Finish() const;

 private:
  struct Entry {
    char* key;  // nullptr: a free slot
    int key_length;
    uint32 hash;
    JsonbValue value;  // jbvNull: the key has been removed
  };

  Entry* Find(const JsonbValue& key, uint32 hash) const;
  void Grow();

  MemoryContext context_;
  Entry* entries_;
  uint32 capacity_;  // a power of two
  uint32 count_;
};

}  // namespace auren::events
