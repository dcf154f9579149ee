// Writing JSON by hand where a document tree would cost more than the text itself.
#pragma once

#include <string>
#include <string_view>

namespace auren::ingest {

// Appends `text` as a JSON string, quotes included. Bytes above 0x7f are kept as they are: the
// caller has checked that the body was UTF-8.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace auren::ingest
