#include "events/fold.h"

#include "postgres/values.h"

extern "C" {
#include "common/hashfn.h"
}

namespace auren::events {
namespace {

constexpr uint32 kFirstCapacity = 64;

void* Copy(const void* bytes, size_t size) {
  void* copy = palloc(Max(size, size_t{1}));
  memcpy(copy, bytes, size);
  return copy;
}

// A value of its own memory, into the current memory context.
JsonbValue CopyValue(const JsonbValue& value) {
  JsonbValue copy = value;
  switch (value.type) {
    case jbvString:
      copy.val.string.val = static_cast<char*>(Copy(value.val.string.val, value.val.string.len));
      break;
    case jbvNumeric:
      copy.val.numeric =
          static_cast<Numeric>(Copy(value.val.numeric, VARSIZE_ANY(value.val.numeric)));
      break;
    case jbvBinary:
      copy.val.binary.data =
          static_cast<JsonbContainer*>(Copy(value.val.binary.data, value.val.binary.len));
      break;
    default:
      break;
  }
  return copy;
}

}  // namespace

void Fold::Begin() {
  context_ = CurrentMemoryContext;
  capacity_ = kFirstCapacity;
  count_ = 0;
  entries_ = static_cast<Entry*>(palloc0(sizeof(Entry) * capacity_));
}

// The key's entry, or the free slot where it belongs.
Fold::Entry* Fold::Find(const JsonbValue& key, uint32 hash) const {
  const std::string_view wanted = pg::View(key);
  for (uint32 i = hash & (capacity_ - 1);; i = (i + 1) & (capacity_ - 1)) {
    Entry* entry = &entries_[i];
    if (entry->key == nullptr ||
        (entry->hash == hash &&
         std::string_view(entry->key, static_cast<size_t>(entry->key_length)) == wanted)) {
      return entry;
    }
  }
}

void Fold::Grow() {
  Entry* old = entries_;
  const uint32 old_capacity = capacity_;
  capacity_ *= 2;
  entries_ = static_cast<Entry*>(MemoryContextAllocExtended(context_, sizeof(Entry) * capacity_,
                                                            MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
  for (uint32 i = 0; i < old_capacity; i++) {
    if (old[i].key == nullptr) continue;
    uint32 slot = old[i].hash & (capacity_ - 1);
    while (entries_[slot].key != nullptr) slot = (slot + 1) & (capacity_ - 1);
    entries_[slot] = old[i];
  }
  pfree(old);
}

void Fold::Take(const Jsonb* event_data) {
  JsonbIterator* members = JsonbIteratorInit(const_cast<JsonbContainer*>(&event_data->root));
  JsonbValue key;
  JsonbValue value;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&members, &key, true)) != WJB_DONE) {
    if (token != WJB_KEY) continue;
    JsonbIteratorNext(&members, &value, true);
    const uint32 hash =
        hash_bytes(reinterpret_cast<unsigned char*>(key.val.string.val), key.val.string.len);
    Entry* entry = Find(key, hash);
    if (entry->key != nullptr) continue;
    const MemoryContext caller = MemoryContextSwitchTo(context_);
    const JsonbValue key_copy = CopyValue(key);
    *entry = {key_copy.val.string.val, key_copy.val.string.len, hash, CopyValue(value)};
    MemoryContextSwitchTo(caller);
    if (++count_ > capacity_ / 4 * 3) Grow();
  }
}

Jsonb* Fold::Finish() const {
  pg::JsonbBuilder state;
  state.BeginObject();
  for (uint32 i = 0; i < capacity_; i++) {
    const Entry& entry = entries_[i];
    if (entry.key == nullptr || entry.value.type == jbvNull) continue;
    state.Key({entry.key, static_cast<size_t>(entry.key_length)});
    state.Value(entry.value);
  }
  state.EndObject();
  return state.Finish();
}

}  // namespace auren::events
