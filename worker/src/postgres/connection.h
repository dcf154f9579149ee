// One connection to PostgreSQL, its prepared statements and results. Errors are values, by
// SQLSTATE; nothing here throws. A connection belongs to one thread at a time (Pool shares them
// out).
#pragma once

#include <libpq-fe.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/param.h"

namespace auren::postgres {

// What libpq reports when it has no SQLSTATE of the server's.
inline constexpr const char* kConnectionFailure = "08006";

struct Error {
  std::string sqlstate;  // never empty
  std::string message;   // first line of the server's or libpq's, without the password
};

// Rows, or an error.
class Result {
 public:
  explicit Result(PGresult* result) : result_(result, PQclear) {}
  explicit Result(Error error) : result_(nullptr, PQclear), error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  const Error& error() const { return *error_; }  // REQUIRES: !ok()
  int rows() const { return result_ ? PQntuples(result_.get()) : 0; }
  // -1: there is no such column.
  int Column(const char* name) const { return result_ ? PQfnumber(result_.get(), name) : -1; }
  // A NULL, or a column of -1, reads as empty.
  bool IsNull(int row, int column) const;
  std::string_view Get(int row, int column) const;
  // The column as a number; 0 where Get is empty or no number.
  template <typename T>
  T Number(int row, int column) const {
    T number{};
    const std::string_view text = Get(row, column);
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
  std::optional<Error> error_;
};

struct Statement {
  std::string sql;
  std::vector<Param> params;
};

class Connection {
 public:
  // `role` becomes application_name auren-worker/<role>. Connects at the first use.
  Connection(std::string url, std::string role);

  // Runs one statement, prepared at its first use on this connection. Connects first when there is
  // no connection; afterwards a lost connection is closed, so that the next call makes a new one.
  Result Execute(const std::string& sql, const std::vector<Param>& params = {});

  // Several statements in one trip to the server, which runs them while the caller does something
  // else. Send returns when they are on their way; Arrived says whether all results are there,
  // after waiting for at most `timeout_ms`; Collect waits for them and returns one for each
  // statement, in order: after a failed one the rest were not run and carry its SQLSTATE. A result
  // is good only when the server has said that the whole is done, its commit included; if the
  // connection ends before, all are errors. Nothing else may be asked of the connection between
  // Send and Collect.
  std::optional<Error> Send(const std::vector<Statement>& statements);
  bool Arrived(int timeout_ms);
  std::vector<Result> Collect();

  // Connects when not connected; the error says why it failed.
  std::optional<Error> Connect();
  bool connected() const { return connection_ != nullptr; }
  void Disconnect();
  // How long a server may be silent while it owes an answer; then the connection counts as lost.
  // It ends a statement of ours after 30 s itself: only one that hangs, or a pooler before it that
  // does, lets 45 s go by. 0: for ever.
  void SetPatience(std::chrono::milliseconds patience) { patience_ = patience; }

  // What the server calls itself (150020), 0 when not connected.
  int server_version() const { return connection_ ? PQserverVersion(connection_.get()) : 0; }

 private:
  using Clock = std::chrono::steady_clock;

  void Take(PGresult* result);
  std::optional<Error> Hear(int timeout_ms, bool* waited);
  Error LastWord();
  void Revoke(const Error& error);
  void Abandon(const Error& error);
  Error LastError(const PGresult* result) const;
  std::optional<Error> Prepare(const std::string& sql, const std::vector<Param>& params,
                               std::string* name);

  const std::string url_;
  const std::string application_name_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::map<std::string, std::string, std::less<>> prepared_;  // SQL -> statement name
  std::chrono::milliseconds patience_{45'000};
  Clock::time_point heard_{};    // from the server, since something was sent
  std::size_t sent_ = 0;         // statements of the pipeline under way
  std::vector<Result> results_;  // of it, so far
};

}  // namespace auren::postgres
