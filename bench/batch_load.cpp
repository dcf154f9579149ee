// A libpq client that sends ready-made batches of deliveries through bridge.ingest_batch: a
// prepared statement, one transaction each, one after the other. What a consumer could do at best.
//
//   batch_load CONNINFO BATCH < one delivery a line
//
// All batches are encoded, as binary jsonb[], before the first is sent. Prints one line:
//   deliveries/s from the end of the first batch to the end of the last   deliveries not applied
//   us of processor time a delivery, of the server's process   and of this one
// The server is on the same machine.
#include <fmt/core.h>
#include <libpq-fe.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/param.h"

namespace {

using auren::postgres::Param;
using Clock = std::chrono::steady_clock;
using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

constexpr char kIngest[] = "SELECT * FROM bridge.ingest_batch($1::jsonb[])";

std::vector<std::string> ReadLines() {
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(std::move(line));
  return lines;
}

std::vector<Param> Encode(const std::vector<std::string>& lines, std::size_t size) {
  std::vector<Param> batches;
  for (std::size_t begin = 0; begin < lines.size(); begin += size) {
    std::vector<std::string_view> part;
    for (std::size_t i = begin; i < lines.size() && i < begin + size; ++i) part.push_back(lines[i]);
    batches.push_back(Param::Jsonbs(part));
  }
  return batches;
}

// How many rows of an answer say "applied".
int CountApplied(const PGresult* result, int status_column) {
  int applied = 0;
  for (int row = 0; row < PQntuples(result); ++row) {
    applied += std::string_view(PQgetvalue(result, row, status_column)) == "applied" ? 1 : 0;
  }
  return applied;
}

// The processor time a process has used, in microseconds.
double Used(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// The kernel's name for the processor time of another process.
clockid_t ClockOf(int pid) {
  return static_cast<clockid_t>((~static_cast<unsigned>(pid) << 3) | 2U);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t size = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (size == 0) {
    fmt::print(stderr, "usage: batch_load CONNINFO BATCH < one delivery a line\n");
    return 64;
  }
  const std::vector<std::string> lines = ReadLines();
  const std::vector<Param> batches = Encode(lines, size);

  const Connection connection(PQconnectdb(argv[1]), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK || batches.size() < 2) {
    fmt::print(stderr, "{} batches; {}\n", batches.size(), PQerrorMessage(connection.get()));
    return 69;
  }
  const Result prepared(PQprepare(connection.get(), "ingest", kIngest, 1, &batches[0].type),
                        PQclear);
  const clockid_t server = ClockOf(PQbackendPID(connection.get()));
  Clock::time_point begun;
  double server_before = 0, client_before = 0;
  std::size_t counted = 0, applied = 0;
  for (const Param& batch : batches) {
    const char* const value = batch.data.data();
    const int length = static_cast<int>(batch.data.size());
    const Result result(
        PQexecPrepared(connection.get(), "ingest", 1, &value, &length, &batch.format, 0), PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
      fmt::print(stderr, "{}", PQerrorMessage(connection.get()));
      return 70;
    }
    applied +=
        static_cast<std::size_t>(CountApplied(result.get(), PQfnumber(result.get(), "status")));
    if (&batch == &batches.front()) {
      begun = Clock::now();
      server_before = Used(server);
      client_before = Used(CLOCK_PROCESS_CPUTIME_ID);
    } else {
      counted += static_cast<std::size_t>(PQntuples(result.get()));
    }
  }
  const std::chrono::duration<double> took = Clock::now() - begun;
  const auto each = static_cast<double>(counted);
  fmt::print("{:.1f} {} {:.1f} {:.1f}\n", each / took.count(), lines.size() - applied,
             (Used(server) - server_before) / each,
             (Used(CLOCK_PROCESS_CPUTIME_ID) - client_before) / each);
  return 0;
}
