// Small checks and conversions of request text.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace auren::http {

bool IsUtf8(
    std::string_view text);  // well-formed: no surrogate, no overlong form, at most U+10FFFF

std::string Lower(std::string_view text);  // ASCII only

std::string_view Trim(std::string_view text);  // spaces and tabs

// Percent-decoding. nullopt: a broken escape, a NUL, or not UTF-8.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space = false);

// a=1&b=2, decoded; the first value of a name counts. nullopt as above.
std::optional<std::map<std::string, std::string>> ParseQuery(std::string_view query);

// The media type of a Content-Type header: lower case, without parameters.
std::string MediaType(std::string_view content_type);

}  // namespace auren::http
