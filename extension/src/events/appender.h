// Appends many events in one call, by chunks: rows are kept back and written together.
//
//   Appender appender;
//   appender.Begin(count);
//   for (...) appender.Append(event, expected);
//   appender.Finish();
//
// What is kept back is invisible to probes of the table, so the appender knows it by itself: the
// tip of every stream that it has touched, and the ids that wait. A table that cannot be written to
// directly gets one ordinary insert per event, for its triggers may look at, or add to, what is
// there.
#pragma once

#include "events/insert.h"
#include "events/place.h"

namespace auren::events {

class Appender {
 public:
  // `count`: how many events will come. REQUIRES: LockStreams has been called for all of them.
  void Begin(int count);

  // Appends one event, with the answers and errors of events::Append. The event may be written as
  // late as in Finish and has to stay in memory until then.
  Appended Append(const NewEvent& event, int64 expected_version);

  // Writes what is kept back.
  void Finish();

 private:
  struct KnownStream {
    text* stream_id;  // nullptr: free
    Tip tip;
  };

  Tip* TipOf(text* stream_id);
  void Flush();

  Relation store_;
  bool direct_;
  HeapInsert heap_;
  KnownStream* streams_;  // open addressing, at most half full
  uint32 mask_;
  HTAB* waiting_ids_;
  text* session_user_;
};

}  // namespace auren::events
