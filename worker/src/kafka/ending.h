// Ending a handle of librdkafka without waiting for it for ever.
//
// rd_kafka_destroy waits until nothing of the handle is in use any more. In librdkafka 2.0.2 that
// may be never, when the broker is frozen or gone while a consumer leaves its group. So each handle
// is ended by a thread of its own, and who ends it waits for at most `kEndingPatience`. What is
// over by then goes on in the background: it holds its memory and no promise of ours.
//
// A process may not return from main while such a thread is left, for it would use what static
// destructors take away: see Endings().
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>

namespace auren::kafka {

inline constexpr std::chrono::milliseconds kEndingPatience{3000};

// Flags as of rd_kafka_destroy_flags. REQUIRES: no callback of the handle needs what the caller
// will take away: none is called but logs.
void EndHandle(rd_kafka_t* handle, int flags);

struct HandleEnd {
  void operator()(rd_kafka_t* handle) const { EndHandle(handle, 0); }
};

// How many handles are still being ended.
int Endings();

}  // namespace auren::kafka
