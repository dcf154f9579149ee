// Appends many events in one call, by chunks: rows are kept back and written together.
//
//   Appender appender;
//   appender.Begin(stream_ids, count);
//   for (...) appender.Append(event, expected);   // count times, in the order of stream_ids
//   appender.Finish();
//
// What is kept back is invisible to probes of the table, so the appender knows it by itself: the
// tip of every stream, looked up in one go, and the ids that wait. A table that cannot be written
// to directly gets one ordinary insert per event, for its triggers may look at, or add to, what is
// there.
#pragma once

#include "events/insert.h"
#include "events/place.h"

namespace auren::events {

class Appender {
 public:
  // The streams of the events that will come. `known`: the tip of each, where a Lookup has found
  // them already. REQUIRES: LockStreams has been called for all of them.
  void Begin(text** stream_ids, int count, const Tip* known = nullptr);

  // Appends one event, with the answers and errors of events::Append. The event may be written as
  // late as in Finish and has to stay in memory until then.
  Appended Append(const NewEvent& event, int64 expected_version);

  // Writes what is kept back.
  void Finish();

 private:
  void LookUpTips(text** stream_ids, int count, const Tip* known);
  void Flush();

  Relation store_;
  bool direct_;
  HeapInsert heap_;
  Tip* tips_;       // of the distinct streams, in the byte order of their ids
  int* stream_of_;  // which of them each event belongs to
  int next_;        // the event that comes next
  Positions positions_;
  HTAB* waiting_ids_;
  text* session_user_;
};

}  // namespace auren::events
