// What became of one delivery: a row of bridge.ingest_batch.
#pragma once

#include <cstdint>
#include <string>

namespace auren::ingest {

struct Outcome {
  std::string status;    // applied, duplicate or rejected; never empty in an answer
  std::string event_id;  // also of a rejected one: what it is asked for by
  std::string user_id;   // whose it was taken to be; empty: not known
  int readings_accepted = 0;
  int readings_rejected = 0;
  std::string from_mode, to_mode;  // empty: no switch
  std::string problem;             // JSON text: an object or array of objects; empty: none
  std::string trigger;             // with a switch
  double confidence = 0;           // with a switch
  std::int64_t position = 0;       // of the event; 0: none
  std::string anomalies;           // JSON text; empty: none
};

}  // namespace auren::ingest
