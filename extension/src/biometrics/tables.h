// The two tables that ingest writes row by row, as the C++ side sees them: biometric_events and
// daily_values, opened for rows to go straight into the heap (postgres/heap_insert.h).
//
// That is done only while a table is as we made it. Where somebody has added a trigger, a policy, a
// column, a constraint or an index that runs code, or taken the INSERT privilege from the owner,
// statements do the work and PostgreSQL obeys all that.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "utils/rel.h"
}

namespace auren::biometrics {

// The columns' numbers, fixed by extension/schema/biometrics.sql.
enum ReadingColumn : AttrNumber {
  kUserId = 1,
  kDeviceType,
  kMetricType,
  kRecordedAt,
  kEndedAt,
  kValue,
  kState,
  kUnit,
  kStatistic,
  kContext,
  kSource,
  kZoneOffset,
  kQuality,
  kFlags,
  kExternalId,
  kDeliveredIn,
  kPosition,
  kEndAt,  // generated
  kDay,    // generated
};

enum DayColumn : AttrNumber {
  kDayUserId = 1,
  kDayDeviceType,
  kDayMetricType,
  kDayDay,
  kDayReadings,
  kDayValue,
  kDayStale,
};

// The tables, opened under RowExclusiveLock; nullptr: statements have to do it. To be closed with
// NoLock.
Relation OpenReadingsDirectly();
Relation OpenDaysDirectly();

// daily_values to be read, under AccessShareLock.
Relation OpenDays();

// The unique index of each.
Oid ReadingKey();
Oid DayKey();

// The readings of a device, by their start; the days that are stale, by person and day.
Oid ReadingsByTime();
Oid StaleDays();

}  // namespace auren::biometrics
