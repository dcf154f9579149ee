// What many streams hold already, looked up together before anything is appended to them:
//
//   Lookup lookup;
//   lookup.Begin(stream_ids, count);              // finds all tips in one go
//   ... lookup.Find(i, event_id, &stored), lookup.IsClosed(i) ...
//   lookup.End();                                 // its tips stay: the Appender takes them
//
// One scan of each index serves all of them. REQUIRES: each stream once, its lock held: the answers
// are true until somebody of this transaction appends. An ERROR in between needs no cleaning up.
#pragma once

#include "events/append.h"
#include "events/scan.h"
#include "events/store.h"

namespace auren::events {

class Lookup {
 public:
  void Begin(text** stream_ids, int count);

  // The event of the i-th stream with that id; false when there is none.
  bool Find(int i, const pg_uuid_t* event_id, StoredEvent* event);

  // Whether the i-th stream has been closed for good.
  bool IsClosed(int i) const { return tips_[i].is_tombstone; }

  const Tip& tip(int i) const { return tips_[i]; }

  void End();

 private:
  text** stream_ids_;
  Tip* tips_;
  Relation store_;
  Scan by_id_;
  bool has_archive_;
};

}  // namespace auren::events
