// Status: how the pure core reports an error, by value and without exceptions.
//
// The core never throws across its border and never logs. Every entry point is noexcept and returns
// (or fills in) a Status; the glue turns it into an ereport, the worker into a problem document, as
// the last thing it does. Trivially copyable, so that a longjmp past it harms nothing.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <type_traits>

namespace auren::core {

enum class Code : std::uint8_t {
  kOk = 0,
  kInvalid,      // the caller's input is wrong: SQLSTATE 22023
  kOutOfMemory,  // SQLSTATE 53200
  kInternal,     // a bug in the core: SQLSTATE XX000
};

struct Status {
  Code code = Code::kOk;
  char message[256] = {};  // lower case, no full stop, names the key or value
  char hint[256] = {};     // a sentence that says what is allowed, or empty

  bool ok() const { return code == Code::kOk; }

  static Status Ok() { return Status{}; }

  // An error with a printf-style message; set `hint` with WithHint.
  [[gnu::format(printf, 2, 3)]] static Status Error(Code code, const char* format, ...) {
    Status status;
    status.code = code;
    va_list args;
    va_start(args, format);
    std::vsnprintf(status.message, sizeof status.message, format, args);
    va_end(args);
    return status;
  }

  [[gnu::format(printf, 2, 3)]] Status WithHint(const char* format, ...) const {
    Status status = *this;
    va_list args;
    va_start(args, format);
    std::vsnprintf(status.hint, sizeof status.hint, format, args);
    va_end(args);
    return status;
  }
};

static_assert(std::is_trivially_copyable_v<Status>);

}  // namespace auren::core
