// A factor in words: what was measured, what it was held against, what came of it.
#pragma once

#include <cstddef>

#include "core/engine.h"

namespace auren::core {

inline constexpr std::size_t kMaxExplanation = 320;  // bytes, with the closing NUL

// "hrv_rmssd 32 ms is 28.4 ms (47 %) below the reference of 60.4 ms; the threshold is 42.3 ms:
// hrv_drop fired, with 61 % of the evidence". `days`: of history behind the reference, 0: not
// known. `share`: of all contributions, 0..1.
void DescribeFactor(const Factor& factor, int days, double share,
                    char (&sentence)[kMaxExplanation]) noexcept;

// The part a factor has in all that fired, 0..1.
double ShareOf(const Decision& decision, const Factor& factor) noexcept;

}  // namespace auren::core
