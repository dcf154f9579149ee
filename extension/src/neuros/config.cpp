// neuros.configure, neuros.config and the configuration every decision is made with.
#include "neuros/config.h"

#include "events/append.h"
#include "neuros/config_json.h"
#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::neuros {
namespace {

constexpr std::string_view kStream = "system:config";

pg::Statement select_newest = {
    "SELECT version, created_at FROM neuros.config_versions ORDER BY version DESC LIMIT 1", 0, {}};

pg::Statement select_config = {
    "SELECT config FROM neuros.config_versions WHERE version = $1", 1, {INT8OID}};

pg::Statement insert_version = {
    "INSERT INTO neuros.config_versions (version, config, file_sha256) VALUES ($1, $2, $3)",
    3,
    {INT8OID, JSONBOID, TEXTOID}};

// The same configuration from another file: the file is the news, not the configuration.
pg::Statement update_file = {
    "UPDATE neuros.config_versions SET file_sha256 = $2"
    " WHERE version = $1 AND file_sha256 IS DISTINCT FROM $2",
    2,
    {INT8OID, TEXTOID}};

// A rule compares numbers.
pg::Statement select_metrics = {
    "SELECT metric_type FROM biometrics.metric_types WHERE states IS NULL ORDER BY metric_type",
    0,
    {}};

// What LoadConfig read last. A version number alone could come back with other content, after a
// rollback or in a database made anew under this session; the time it was made at does not.
struct Cache {
  bool filled = false;
  int64 version = 0;
  TimestampTz created_at = 0;
  core::Config config;
};
constinit Cache cache;

text* FileArgument(FunctionCallInfo fcinfo, int argument) {
  text* sha256 = pg::TextArgument(fcinfo, argument);
  if (sha256 == nullptr) return nullptr;
  bool hex = pg::View(sha256).size() == 64;
  for (const char c : pg::View(sha256)) {
    hex = hex && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  }
  if (!hex) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("p_file_sha256 is not a SHA-256"),
             errhint("Give 64 hexadecimal digits in lower case.")));
  }
  return sha256;
}

void Announce(int64 version, const Jsonb* config, const text* file_sha256) {
  pg::JsonbBuilder json;
  json.BeginObject();
  json.Add("version", version);
  json.Key("config");
  json.Document(config);
  json.Key("file_sha256");
  file_sha256 == nullptr ? json.Null() : json.String(pg::View(file_sha256));
  json.EndObject();
  events::Append({.stream_id = pg::Text(kStream),
                  .event_type = pg::Text("config_changed"),
                  .event_data = json.Finish(),
                  .metadata = nullptr,
                  .created_by = nullptr,
                  .event_id = nullptr},
                 events::kAnyVersion);
}

bool Equal(const core::Config& a, const core::Config& b) {
  return compareJsonbContainers(&WriteConfig(a)->root, &WriteConfig(b)->root) == 0;
}

// REQUIRES: within an SPI session, as long as which the names live.
KnownMetrics LoadMetrics() {
  const int count = static_cast<int>(pg::Execute(&select_metrics));
  auto** names = static_cast<const char**>(palloc(sizeof(char*) * (count + 1)));
  for (int i = 0; i < count; i++) {
    names[i] = TextDatumGetCString(pg::Column(i, 1));
  }
  return {names, count};
}

int64 Configure(const Jsonb* json, text* file_sha256) {
  text* stream = pg::Text(kStream);
  const pg::SpiSession spi = pg::SpiBegin();
  const KnownMetrics metrics = LoadMetrics();
  core::Config config;
  ReadConfig(json, &config, &metrics);

  events::LockStreams(&stream, 1);
  const ActiveConfig active = LoadConfig();
  int64 version = active.version;
  if (version > 0 && Equal(*active.config, config)) {
    if (file_sha256 != nullptr) {
      const Datum values[] = {Int64GetDatum(version), PointerGetDatum(file_sha256)};
      pg::Execute(&update_file, values);
    }
  } else {
    version++;
    Jsonb* complete = WriteConfig(config);
    const Datum values[] = {Int64GetDatum(version), JsonbPGetDatum(complete),
                            PointerGetDatum(file_sha256)};
    const bool is_null[] = {false, false, file_sha256 == nullptr};
    pg::Execute(&insert_version, values, is_null);
    Announce(version, complete, file_sha256);
  }
  pg::SpiEnd(spi);
  return version;
}

}  // namespace

ActiveConfig LoadConfig(bool read_only) {
  static constinit core::Config built_in;
  if (pg::Execute(&select_newest, nullptr, nullptr, read_only) == 0) {
    if (built_in.mode_count == 0) built_in = core::DefaultConfig();
    return {0, &built_in};
  }
  const int64 version = DatumGetInt64(pg::Column(0, 1));
  const TimestampTz created_at = DatumGetTimestampTz(pg::Column(0, 2));
  if (!cache.filled || cache.version != version || cache.created_at != created_at) {
    const Datum values[] = {Int64GetDatum(version)};
    if (pg::Execute(&select_config, values, nullptr, read_only) == 0) {
      elog(ERROR, "configuration version " INT64_FORMAT " vanished", version);
    }
    cache.filled = false;
    ReadConfig(DatumGetJsonbP(pg::Column(0, 1)), &cache.config);
    cache.version = version;
    cache.created_at = created_at;
    cache.filled = true;
  }
  return {version, &cache.config};
}

}  // namespace auren::neuros

AUREN_SQL_FUNCTION(neuros_configure) {
  auren::pg::RequireNotNull(fcinfo, 0, "p_config");
  PG_RETURN_INT64(auren::neuros::Configure(auren::pg::JsonbArgument(fcinfo, 0),
                                           auren::neuros::FileArgument(fcinfo, 1)));
}

AUREN_SQL_FUNCTION(neuros_config) {
  const auren::pg::SpiSession spi = auren::pg::SpiBegin();
  const auren::neuros::ActiveConfig active = auren::neuros::LoadConfig(true);
  const Datum result =
      auren::pg::CopyOut(JsonbPGetDatum(auren::neuros::WriteConfig(*active.config)));
  auren::pg::SpiEnd(spi);
  return result;
}
