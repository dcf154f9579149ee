// Taking a dead letter in once more, each in one transaction of its own: the events, the letter's
// new status and its count of attempts come together or not at all.
#pragma once

#include <cstdint>
#include <string>

#include "devices/device.h"
#include "postgres/connection.h"

namespace auren::app {

// What became of a letter, or with a dry run would have.
struct Fate {
  enum class Kind : std::uint8_t {
    kTaken,    // it is `retried` now
    kOpen,     // it is open still; the attempt is counted if there was one
    kRefused,  // there is no such letter, or it was retried or discarded before
    kFailed    // the database could not do it: `sqlstate`; nobody knows when it was at COMMIT
  };
  Kind kind = Kind::kFailed;
  std::string words;  // for people, one line
  std::string sqlstate;
};

class LetterRetrier {
 public:
  // `dry_run`: everything is done and rolled back; only positions of the global order are used up.
  LetterRetrier(postgres::Connection* database, const devices::Catalog* catalog, bool dry_run)
      : database_(*database), catalog_(*catalog), dry_run_(dry_run) {}

  // A provider's body is mapped by the device file as it is now, and not verified again: it was
  // when it came. It is received when the letter was first seen. A record's value is a delivery.
  Fate Retry(std::int64_t id);

 private:
  struct Letter;

  Fate Once(std::int64_t id);
  Fate RetryBody(const Letter& letter);
  Fate RetryRecord(const Letter& letter);
  Fate StaysOpen(const Letter& letter, const std::string& reason, const std::string& detail,
                 const std::string& sqlstate = "");

  postgres::Connection& database_;
  const devices::Catalog& catalog_;
  bool dry_run_;
};

}  // namespace auren::app
