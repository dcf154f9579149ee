#include "postgres/connection.h"

#include <arpa/inet.h>

#include <array>

namespace auren::postgres {
namespace {

// Type numbers of the catalogue; fixed for good.
constexpr Oid kText = 25, kBytea = 17, kTextArray = 1009, kJsonb = 3802, kJsonbArray = 3807;

void AppendInt32(std::int32_t value, std::string* out) {
  const std::uint32_t network = htonl(static_cast<std::uint32_t>(value));
  out->append(reinterpret_cast<const char*>(&network), sizeof(network));
}

// The head of a binary one-dimensional array, as array_recv reads it.
std::string ArrayHead(std::size_t count, bool has_null, Oid element) {
  std::string out;
  AppendInt32(count == 0 ? 0 : 1, &out);  // dimensions
  AppendInt32(has_null ? 1 : 0, &out);
  AppendInt32(static_cast<std::int32_t>(element), &out);
  if (count > 0) {
    AppendInt32(static_cast<std::int32_t>(count), &out);
    AppendInt32(1, &out);  // lower bound
  }
  return out;
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

Param Param::Null() {
  Param param;
  param.type = kText;
  param.null = true;
  return param;
}

Param Param::Text(std::string_view value) {
  Param param;
  param.type = kText;
  param.format = 1;  // text's binary form is the text: no copy for a terminating NUL, no escapes
  param.data = value;
  return param;
}

Param Param::Bytes(std::string_view value) {
  Param param = Text(value);
  param.type = kBytea;
  return param;
}

Param Param::Texts(const std::vector<std::optional<std::string>>& values) {
  bool has_null = false;
  for (const auto& value : values) has_null |= !value.has_value();
  Param param;
  param.type = kTextArray;
  param.format = 1;
  param.data = ArrayHead(values.size(), has_null, kText);
  for (const auto& value : values) {
    AppendInt32(value ? static_cast<std::int32_t>(value->size()) : -1, &param.data);
    if (value) param.data.append(*value);
  }
  return param;
}

Param Param::Jsonbs(const std::vector<std::string_view>& values) {
  std::size_t bytes = 32;
  for (const std::string_view value : values) bytes += value.size() + 5;
  Param param;
  param.type = kJsonbArray;
  param.format = 1;
  param.data = ArrayHead(values.size(), false, kJsonb);
  param.data.reserve(bytes);
  for (const std::string_view value : values) {
    AppendInt32(static_cast<std::int32_t>(value.size() + 1), &param.data);
    param.data.push_back('\x01');  // jsonb's wire version
    param.data.append(value);
  }
  return param;
}

bool Result::IsNull(int row, int column) const {
  return column < 0 || PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Result::Get(int row, int column) const {
  if (IsNull(row, column)) return {};
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

Connection::Connection(std::string url, std::string role)
    : url_(std::move(url)),
      application_name_("auren-worker/" + std::move(role)),
      connection_(nullptr, PQfinish) {}

void Connection::Disconnect() {
  connection_.reset();
  prepared_.clear();
}

std::optional<Error> Connection::Connect() {
  if (connection_) return std::nullopt;
  // Later entries win, so what the URL itself says stays as it is. A dead peer is noticed within
  // ten seconds, not in the two hours of the system's defaults.
  const std::array<const char*, 10> keys = {"connect_timeout",
                                            "keepalives_idle",
                                            "keepalives_interval",
                                            "keepalives_count",
                                            "tcp_user_timeout",
                                            "target_session_attrs",
                                            "application_name",
                                            "client_encoding",
                                            "dbname",
                                            nullptr};
  const std::array<const char*, 10> values = {
      "5",    "10",         "3",    "3", "10000", "read-write", application_name_.c_str(),
      "UTF8", url_.c_str(), nullptr};
  connection_.reset(PQconnectdbParams(keys.data(), values.data(), /*expand_dbname=*/1));
  if (!connection_ || PQstatus(connection_.get()) != CONNECTION_OK) {
    // libpq gives no SQLSTATE for a refused connection. What is refused for good (password,
    // database) is told apart by a retry all the same: an administrator may mend it while we run.
    Error error{kConnectionFailure,
                connection_ ? FirstLine(PQerrorMessage(connection_.get())) : "out of memory"};
    Disconnect();
    return error;
  }
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  // A session of ours never waits for ever, whoever forgot to say so in postgresql.conf.
  const Result limits = Result(PQexec(connection_.get(),
                                      "SET statement_timeout = '30s'; SET lock_timeout = '10s'; "
                                      "SET idle_in_transaction_session_timeout = '30s'"));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    Error error = LastError(nullptr);
    Disconnect();
    return error;
  }
  return std::nullopt;
}

Error Connection::LastError(const PGresult* result) const {
  const char* sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  const char* primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
  return {sqlstate ? sqlstate : kConnectionFailure,
          primary ? FirstLine(primary) : FirstLine(PQerrorMessage(connection_.get()))};
}

std::optional<Error> Connection::Prepare(const std::string& sql, const std::vector<Param>& params,
                                         std::string* name) {
  if (const auto known = prepared_.find(sql); known != prepared_.end()) {
    *name = known->second;
    return std::nullopt;
  }
  *name = "auren_" + std::to_string(prepared_.size() + 1);
  std::vector<Oid> types;
  types.reserve(params.size());
  for (const Param& param : params) types.push_back(param.type);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQprepare(connection_.get(), name->c_str(), sql.c_str(), static_cast<int>(types.size()),
                types.data()),
      PQclear);
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) return LastError(result.get());
  prepared_.emplace(sql, *name);
  return std::nullopt;
}

Result Connection::Execute(const std::string& sql, const std::vector<Param>& params) {
  if (auto error = Connect()) return Result(std::move(*error));
  const auto fail = [this](Error error) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) Disconnect();
    return Result(std::move(error));
  };

  std::string name;
  if (auto error = Prepare(sql, params, &name)) return fail(std::move(*error));

  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (const Param& param : params) {
    values.push_back(param.null ? nullptr : param.data.data());
    lengths.push_back(static_cast<int>(param.data.size()));
    formats.push_back(param.format);
  }
  PGresult* result =
      PQexecPrepared(connection_.get(), name.c_str(), static_cast<int>(params.size()),
                     values.data(), lengths.data(), formats.data(), /*resultFormat=*/0);
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return Result(result);
  Error error = LastError(result);
  PQclear(result);
  return fail(std::move(error));
}

}  // namespace auren::postgres
