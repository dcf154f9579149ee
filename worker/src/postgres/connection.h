// One connection to PostgreSQL, its prepared statements and results. Errors are values, by
// SQLSTATE; nothing here throws. A connection belongs to one thread at a time (Pool shares them
// out).
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auren::postgres {

// What libpq reports when it has no SQLSTATE of the server's.
inline constexpr const char* kConnectionFailure = "08006";

struct Error {
  std::string sqlstate;  // never empty
  std::string message;   // first line of the server's or libpq's, without the password
};

// A statement's parameter, in the form the server reads fastest.
class Param {
 public:
  static Param Null();
  static Param Text(std::string_view value);
  static Param Bytes(std::string_view value);                                 // bytea
  static Param Texts(const std::vector<std::optional<std::string>>& values);  // text[]
  static Param Jsonbs(const std::vector<std::string_view>& values);           // jsonb[]

  Oid type = 0;
  bool null = false;
  int format = 0;  // 0 text, 1 binary
  std::string data;
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

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
  std::optional<Error> error_;
};

class Connection {
 public:
  // `role` becomes application_name auren-worker/<role>. Connects at the first use.
  Connection(std::string url, std::string role);

  // Runs one statement, prepared at its first use on this connection. Connects first when there is
  // no connection; afterwards a lost connection is closed, so that the next call makes a new one.
  Result Execute(const std::string& sql, const std::vector<Param>& params = {});

  // Connects when not connected; the error says why it failed.
  std::optional<Error> Connect();
  bool connected() const { return connection_ != nullptr; }
  void Disconnect();
  // What the server calls itself (150020), 0 when not connected.
  int server_version() const { return connection_ ? PQserverVersion(connection_.get()) : 0; }

 private:
  Error LastError(const PGresult* result) const;
  std::optional<Error> Prepare(const std::string& sql, const std::vector<Param>& params,
                               std::string* name);

  const std::string url_;
  const std::string application_name_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::map<std::string, std::string, std::less<>> prepared_;  // SQL -> statement name
};

}  // namespace auren::postgres
