#include "neuros/people.h"

#include "events/stream.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "utils/snapmgr.h"
}

namespace auren::neuros {
namespace {

constexpr std::string_view kPrefix = "user:";

// The stream behind $1, of those that begin with "user:".
pg::Statement select_next = {
    "SELECT least("
    "  (SELECT s.stream_id FROM events.event_store s"
    "    WHERE s.stream_id > $1 AND s.stream_id < 'user;' ORDER BY s.stream_id LIMIT 1),"
    "  (SELECT a.stream_id FROM events.event_archive a"
    "    WHERE a.stream_id > $1 AND a.stream_id < 'user;' ORDER BY a.stream_id LIMIT 1))",
    1,
    {TEXTOID}};

// nullptr: there is none.
text* NextStream(text* stream_id) {
  const Datum values[] = {PointerGetDatum(stream_id)};
  pg::Execute(&select_next, values, nullptr, true);
  bool is_null;
  const Datum next = pg::Column(0, 1, &is_null);
  return is_null ? nullptr : pg::Text(pg::View(DatumGetTextPP(next)));
}

void ReplayStream(const ReplaySetting& setting, text* stream_id, int64 up_to, Witness witness) {
  const MemoryContext caller = CurrentMemoryContext;
  const MemoryContext person =
      AllocSetContextCreate(caller, "replayed person", ALLOCSET_DEFAULT_SIZES);
  MemoryContextSwitchTo(person);
  auto* replay = static_cast<Replay*>(palloc(sizeof(Replay)));
  replay->Begin(&setting, witness);
  events::Stream stream;
  stream.Begin(stream_id, 0, up_to, ForwardScanDirection, GetActiveSnapshot());
  while (stream.Next()) replay->Take(stream.row().slot());
  stream.End();
  MemoryContextSwitchTo(caller);
  MemoryContextDelete(person);
}

}  // namespace

void ReplayPerson(const ReplaySetting& setting, text* user_id, int64 up_to, Witness witness) {
  const std::string_view user = pg::View(user_id);
  text* stream = pg::Text(psprintf("user:%.*s", static_cast<int>(user.size()), user.data()));
  ReplayStream(setting, stream, up_to, witness);
}

void ReplayPeople(const ReplaySetting& setting, text* user_id, const Visit& visit) {
  if (user_id != nullptr) {
    visit.begin(visit.witness.self, user_id);
    return ReplayPerson(setting, user_id, PG_INT64_MAX, visit.witness);
  }
  for (text* stream = NextStream(pg::Text(kPrefix)); stream != nullptr;
       stream = NextStream(stream)) {
    visit.begin(visit.witness.self, pg::Text(pg::View(stream).substr(kPrefix.size())));
    ReplayStream(setting, stream, PG_INT64_MAX, visit.witness);
  }
}

}  // namespace auren::neuros
