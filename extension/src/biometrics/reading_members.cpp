#include "biometrics/reading_members.h"

#include "postgres/values.h"

namespace auren::biometrics {
namespace {

// In the order of Member.
constexpr std::string_view kNames[] = {"metric",      "value",     "start",   "end",
                                       "unit",        "statistic", "context", "source",
                                       "external_id", "flags",     "deleted", "mapped"};
static_assert(lengthof(kNames) == kMembers);

// kMembers for one that means nothing.
int NumberOf(std::string_view name) {
  int i = 0;
  while (i < kMembers && kNames[i] != name) i++;
  return i;
}

}  // namespace

ReadingMembers::ReadingMembers(const JsonbContainer* object) {
  JsonbIterator* iterator = JsonbIteratorInit(const_cast<JsonbContainer*>(object));
  JsonbValue item;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token != WJB_KEY) continue;
    const int i = NumberOf(pg::View(item));
    JsonbIteratorNext(&iterator, i < kMembers ? &values_[i] : &item, true);
    if (i < kMembers) is_there_[i] = true;
  }
}

}  // namespace auren::biometrics
