// An index over an array that its owner keeps: from a key's hash to the key's place in the array.
// Whether a place really has the key, the caller says, who knows the array. Palloc'ed; trivially
// destructible.
#pragma once

#include "postgres/backend.h"

namespace auren::neuros {

class PlaceIndex {
 public:
  static constexpr int32 kNowhere = -1;

  // The place with that hash for which `same(place)` holds, or kNowhere.
  template <typename Same>
  int32 Find(uint32 hash, const Same& same) const {
    if (capacity_ == 0) return kNowhere;
    for (uint32 i = hash & (capacity_ - 1);; i = (i + 1) & (capacity_ - 1)) {
      const Slot& slot = slots_[i];
      if (slot.place == kNowhere) return kNowhere;
      if (slot.hash == hash && same(slot.place)) return slot.place;
    }
  }

  // REQUIRES: the place is not in the index.
  void Add(MemoryContext context, uint32 hash, int32 place) {
    if (count_ >= capacity_ / 2) Grow(context);
    Put(hash, place);
    count_++;
  }

 private:
  struct Slot {
    uint32 hash;
    int32 place;
  };
  static constexpr uint32 kFirstCapacity = 16;

  void Put(uint32 hash, int32 place) {
    uint32 i = hash & (capacity_ - 1);
    while (slots_[i].place != kNowhere) i = (i + 1) & (capacity_ - 1);
    slots_[i] = {hash, place};
  }

  void Grow(MemoryContext context) {
    Slot* const old = slots_;
    const uint32 old_capacity = capacity_;
    capacity_ = old_capacity == 0 ? kFirstCapacity : old_capacity * 2;
    slots_ = static_cast<Slot*>(
        MemoryContextAllocExtended(context, sizeof(Slot) * capacity_, MCXT_ALLOC_HUGE));
    for (uint32 i = 0; i < capacity_; i++) slots_[i] = {0, kNowhere};
    for (uint32 i = 0; i < old_capacity; i++) {
      if (old[i].place != kNowhere) Put(old[i].hash, old[i].place);
    }
    if (old != nullptr) pfree(old);
  }

  Slot* slots_ = nullptr;
  uint32 capacity_ = 0;
  uint32 count_ = 0;
};

// Room for one more element at the end of an array of that context, which doubles when it is full.
template <typename Element>
void MakeRoom(MemoryContext context, Element** elements, int32 count, int32* capacity) {
  if (count < *capacity) return;
  *capacity = *capacity == 0 ? 8 : *capacity * 2;
  const Size size = sizeof(Element) * static_cast<Size>(*capacity);
  *elements = static_cast<Element*>(*elements == nullptr
                                        ? MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE)
                                        : repalloc_huge(*elements, size));
}

}  // namespace auren::neuros
