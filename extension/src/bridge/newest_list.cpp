#include "bridge/newest_list.h"

extern "C" {
#include "common/hashfn.h"
#include "libpq/pqformat.h"
}

namespace auren::bridge {
namespace {

// The first byte of what is packed. A list packed otherwise counts as none: it is then made anew.
constexpr uint8 kFormat = 1;

// Absent ones last, as in an SQL ORDER BY.
int CompareTexts(std::string_view a, std::string_view b) {
  if (a.empty() != b.empty()) return a.empty() ? 1 : -1;
  return a.compare(b);
}

// Total over all readings of one device and metric, so that their order of coming does not matter.
bool Newer(const NewestOf& a, const NewestOf& b) {
  if (a.end != b.end) return a.end > b.end;
  if (a.start != b.start) return a.start > b.start;
  if (const int order = CompareTexts(a.source, b.source); order != 0) return order < 0;
  if (const int order = CompareTexts(a.statistic, b.statistic); order != 0) return order < 0;
  return a.has_end && !b.has_end;
}

// All these texts are short: a name, or at most 255 bytes.
void SendText(StringInfo to, std::string_view text) {
  pq_sendbyte(to, static_cast<uint8>(text.size()));
  appendBinaryStringInfo(to, text.data() == nullptr ? "" : text.data(),
                         static_cast<int>(text.size()));
}

std::string_view GetText(StringInfo from) {
  const int size = pq_getmsgbyte(from);
  return {pq_getmsgbytes(from, size), static_cast<size_t>(size)};
}

}  // namespace

bool SameKey(const NewestOf& a, const NewestOf& b) {
  return a.metric == b.metric && a.start == b.start && a.end == b.end && a.has_end == b.has_end &&
         a.source == b.source && a.statistic == b.statistic && a.device == b.device;
}

uint64 DocumentHash(std::string_view external_id) {
  if (external_id.empty()) return 0;
  const uint64 hash =
      hash_bytes_extended(reinterpret_cast<const unsigned char*>(external_id.data()),
                          static_cast<int>(external_id.size()), 0);
  return hash == 0 ? 1 : hash;
}

const NewestOf* NewestList::Find(std::string_view device, std::string_view metric) const {
  for (const NewestOf& item : *this) {
    if (item.metric == metric && item.device == device) return &item;
  }
  return nullptr;
}

void NewestList::Append(const NewestOf& reading) {
  if (count_ == capacity_) {
    capacity_ = capacity_ == 0 ? 8 : capacity_ * 2;
    const size_t size = sizeof(NewestOf) * capacity_;
    items_ = static_cast<NewestOf*>(items_ == nullptr ? palloc(size) : repalloc(items_, size));
  }
  items_[count_++] = reading;
}

void NewestList::Fold(const NewestOf& reading) {
  const NewestOf* known = Find(reading.device, reading.metric);
  if (known == nullptr) {
    Append(reading);
  } else if (!Newer(*known, reading)) {
    items_[known - items_] = reading;
  }
}

NewestList NewestList::Copy() const {
  NewestList copy;
  for (const NewestOf& item : *this) copy.Append(item);
  return copy;
}

bytea* NewestList::Pack() const {
  StringInfoData to;
  pq_begintypsend(&to);
  pq_sendbyte(&to, kFormat);
  for (const NewestOf& item : *this) {
    SendText(&to, item.device);
    SendText(&to, item.metric);
    pq_sendint64(&to, item.start);
    pq_sendint64(&to, item.end);
    pq_sendbyte(&to, item.has_end);
    pq_sendfloat8(&to, item.value);
    pq_sendint32(&to, item.day);
    pq_sendint64(&to, item.document);
    SendText(&to, item.source);
    SendText(&to, item.statistic);
    SendText(&to, item.context);
  }
  return pq_endtypsend(&to);
}

NewestList NewestList::Unpack(bytea* packed) {
  StringInfoData from;
  from.data = VARDATA_ANY(packed);
  from.len = static_cast<int>(VARSIZE_ANY_EXHDR(packed));
  from.maxlen = from.len;
  from.cursor = 0;
  NewestList list;
  if (from.len == 0 || pq_getmsgbyte(&from) != kFormat) return list;
  while (from.cursor < from.len) {
    NewestOf item;
    item.device = GetText(&from);
    item.metric = GetText(&from);
    item.start = pq_getmsgint64(&from);
    item.end = pq_getmsgint64(&from);
    item.has_end = pq_getmsgbyte(&from) != 0;
    item.value = pq_getmsgfloat8(&from);
    item.day = static_cast<int32>(pq_getmsgint(&from, 4));
    item.document = static_cast<uint64>(pq_getmsgint64(&from));
    item.source = GetText(&from);
    item.statistic = GetText(&from);
    item.context = GetText(&from);
    list.Append(item);
  }
  return list;
}

}  // namespace auren::bridge
