// Reading daily values series after series. Series that lie close together in the index are read in
// one go: looking an entry up costs as much as reading some thirty.
//
//   SeriesReader reader;
//   reader.Begin();
//   reader.Read(user_id, series, count, from, before);
//   reader.End();
//
// An ERROR in between needs no cleaning up.
#pragma once

#include "biometrics/baselines.h"
#include "postgres/probe.h"

namespace auren::biometrics {

class SeriesReader {
 public:
  void Begin();

  // Fills the `days` of one person's series, of the days from `from` to the one before `before`.
  // REQUIRES: ordered by device and metric, each once.
  void Read(text* user_id, Series* const* series, int count, int32 from, int32 before);

  void End();

 private:
  // A row of daily_values, or an entry of its index, whose row may be gone. The text is borrowed
  // until the next.
  struct Row {
    std::string_view metric;
    int32 day;
    bool has_value;
    int32 readings;
    double value;
  };

  void ReadDevice(text* user_id, Series* const* series, int count, int32 from, int32 before);
  bool Get(const Datum* keys, Row* row);  // nullptr: the next one
  bool GetByRow(const Datum* keys, Row* row);
  bool HasValuesInIndex() const;

  Relation table_;
  pg::Probe probe_;
};

}  // namespace auren::biometrics
