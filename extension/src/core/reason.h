// The sentence that tells people why. Internal to the core.
#pragma once

#include <cstdarg>

#include "core/config.h"
#include "core/engine.h"
#include "core/findings.h"
#include "core/text.h"

namespace auren::core {

// A sentence that grows; what does not fit its room of 255 bytes is cut between two code points.
class Sentence {
 public:
  [[gnu::format(printf, 2, 3)]] void Add(const char* format, ...) noexcept;

  template <std::size_t kSize>
  void CopyTo(char (&to)[kSize]) const noexcept {
    CopyText(to, text_);
  }

 private:
  char text_[512] = {};
  std::size_t used_ = 0;
};

// What `trigger` saw, with numbers and units: "hrv_rmssd 32 ms is 28.4 ms (47 %) below the 60-day
// reference of 60.4 ms"; of a rule its name and each condition: "fever_watch: heart_rate 97 /min is
// above 95 /min". Then the names of the other triggers and rules that fired.
void Explain(const Config& config, Trigger trigger, const Rule* rule, const Findings& findings,
             Sentence* sentence) noexcept;

}  // namespace auren::core
