#include "postgres/connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace auren::postgres {
namespace {

// Parameters as libpq takes them. Borrows them.
class Arguments {
 public:
  explicit Arguments(const std::vector<Param>& params) {
    for (const Param& param : params) {
      values_.push_back(param.null ? nullptr : param.data.data());
      lengths_.push_back(static_cast<int>(param.data.size()));
      formats_.push_back(param.format);
    }
  }
  int count() const { return static_cast<int>(values_.size()); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  std::vector<const char*> values_;
  std::vector<int> lengths_, formats_;
};

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

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
  if (PQsendPrepare(connection_.get(), name->c_str(), sql.c_str(), static_cast<int>(types.size()),
                    types.data()) != 1) {
    return LastError(nullptr);
  }
  heard_ = Clock::now();
  // To the very end of the answer: a session that is ended tells why before its connection closes.
  std::optional<Error> failed;
  for (;;) {
    while (PQisBusy(connection_.get()) != 0) {
      bool waited = false;
      if (auto lost = Hear(-1, &waited)) return failed ? failed : lost;
    }
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQgetResult(connection_.get()),
                                                               PQclear);
    if (!result) break;
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK && !failed) {
      failed = LastError(result.get());
    }
  }
  if (failed) return failed;
  prepared_.emplace(sql, *name);
  return std::nullopt;
}

std::optional<Error> Connection::Send(const std::vector<Statement>& statements) {
  if (auto error = Connect()) return error;
  const auto fail = [this](Error error) {
    Disconnect();
    return error;
  };
  // Known to the server before: in a pipeline an unknown one would abort what follows.
  std::vector<std::string> names(statements.size());
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (auto error = Prepare(statements[i].sql, statements[i].params, &names[i])) {
      if (connection_ && PQstatus(connection_.get()) != CONNECTION_OK) Disconnect();
      return error;
    }
  }
  PGconn* connection = connection_.get();
  if (PQenterPipelineMode(connection) != 1) return fail(LastError(nullptr));
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const Arguments arguments(statements[i].params);
    if (PQsendQueryPrepared(connection, names[i].c_str(), arguments.count(), arguments.values(),
                            arguments.lengths(), arguments.formats(), /*resultFormat=*/0) != 1) {
      return fail(LastError(nullptr));
    }
  }
  if (PQpipelineSync(connection) != 1 || PQflush(connection) < 0) return fail(LastError(nullptr));
  sent_ = statements.size();
  heard_ = Clock::now();
  results_.clear();
  return std::nullopt;
}

bool Connection::Arrived(int timeout_ms) {
  bool waited = false;
  while (sent_ > 0) {
    PGconn* connection = connection_.get();
    if (connection == nullptr) {
      Abandon({kConnectionFailure, "the connection was closed"});
    } else if (PQstatus(connection) != CONNECTION_OK) {
      Abandon(LastError(nullptr));
    } else if (PQisBusy(connection) == 0) {
      Take(PQgetResult(connection));
    } else if (waited) {
      return false;
    } else {
      if (const auto error = Hear(timeout_ms, &waited)) Abandon(*error);
    }
  }
  return true;
}

// Waits at most so long for what the server sends, and takes it in. The error says that the
// connection is lost, or patience over.
std::optional<Error> Connection::Hear(int timeout_ms, bool* waited) {
  const auto left = [this] {
    return std::chrono::ceil<std::chrono::milliseconds>(heard_ + patience_ - Clock::now()).count();
  };
  int most = timeout_ms;
  if (patience_.count() > 0) {
    most = static_cast<int>(std::max<std::int64_t>(0, left()));
    if (timeout_ms >= 0) most = std::min(timeout_ms, most);
  }
  pollfd ready{PQsocket(connection_.get()), POLLIN, 0};
  const int heard = poll(&ready, 1, most);
  *waited = heard >= 0 && timeout_ms >= 0;
  if (heard > 0) heard_ = Clock::now();
  if (PQconsumeInput(connection_.get()) != 1) return LastError(nullptr);
  if (heard != 0 || patience_.count() == 0 || left() > 0) return std::nullopt;
  Disconnect();
  return Error{kConnectionFailure, "the server owes an answer and is silent"};
}

// One answer of the pipeline: a statement's result, the end of one (nullptr), or the end of all.
void Connection::Take(PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (result == nullptr) return;
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
    results_.emplace_back(result);
    return;
  }
  if (status == PGRES_PIPELINE_SYNC) {
    if (results_.size() > sent_) Revoke(LastWord());
    if (PQexitPipelineMode(connection_.get()) != 1) Disconnect();
    sent_ = 0;
  } else if (status == PGRES_PIPELINE_ABORTED) {
    results_.emplace_back(Error{results_.back().error().sqlstate, "a statement before it failed"});
  } else {
    results_.emplace_back(LastError(result));
  }
  PQclear(result);
}

// An error beyond the statements' own answers: that of the commit at the pipeline's end.
Error Connection::LastWord() {
  Error error = results_.back().error();
  results_.pop_back();
  return error;
}

// What was answered does not hold. Without a transaction block the server commits at the pipeline's
// end, behind its answers: an error there undoes them all, and a session that is ended there still
// sends what it had ready.
void Connection::Revoke(const Error& error) {
  for (Result& result : results_) {
    if (result.ok()) result = Result(error);
  }
}

// The connection is lost: what has not been answered never will be.
void Connection::Abandon(const Error& error) {
  Revoke(results_.size() > sent_ ? LastWord() : error);
  while (results_.size() < sent_) results_.emplace_back(error);
  sent_ = 0;
  Disconnect();
}

std::vector<Result> Connection::Collect() {
  while (!Arrived(-1)) {
  }
  return std::exchange(results_, {});
}

Result Connection::Execute(const std::string& sql, const std::vector<Param>& params) {
  if (auto error = Send({{sql, params}})) return Result(std::move(*error));
  return std::move(Collect().front());
}

}  // namespace auren::postgres
