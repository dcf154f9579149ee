#include "neuros/config_history.h"

#include "neuros/config_json.h"
#include "postgres/spi.h"

namespace auren::neuros {
namespace {

pg::Statement select_versions = {
    "SELECT version, created_at, config FROM neuros.config_versions ORDER BY version", 0, {}};

}  // namespace

void ConfigHistory::Load() {
  const auto found = static_cast<int>(pg::Execute(&select_versions, nullptr, nullptr, true));
  count_ = found + 1;
  versions_ = static_cast<Version*>(
      palloc_extended(sizeof(Version) * static_cast<Size>(count_), MCXT_ALLOC_HUGE));
  versions_[0].version = 0;
  versions_[0].created_at = DT_NOBEGIN;
  versions_[0].config = core::DefaultConfig();
  for (int i = 0; i < found; i++) {
    Version* version = &versions_[i + 1];
    version->version = DatumGetInt64(pg::Column(i, 1));
    version->created_at = DatumGetTimestampTz(pg::Column(i, 2));
    ReadConfig(DatumGetJsonbP(pg::Column(i, 3)), &version->config);
  }
}

const core::Config& ConfigHistory::At(int64 version) const {
  for (int i = count_ - 1; i >= 0; i--) {
    if (versions_[i].version == version) return versions_[i].config;
  }
  elog(ERROR, "configuration version " INT64_FORMAT " vanished", version);
}

int64 ConfigHistory::VersionAt(TimestampTz at) const {
  int64 version = 0;
  for (int i = 0; i < count_; i++) {
    if (versions_[i].created_at <= at) version = Max(version, versions_[i].version);
  }
  return version;
}

}  // namespace auren::neuros
