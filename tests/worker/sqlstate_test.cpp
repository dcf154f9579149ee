// One test for each class of SQLSTATE: what the worker does about it.
#include "postgres/sqlstate.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace auren::postgres {
namespace {

TEST(Sqlstate, ConnectionFailuresReconnect) {
  EXPECT_EQ(Classify("08006"), Action::kReconnect);
  EXPECT_EQ(Classify("08P01"), Action::kReconnect);
  EXPECT_EQ(Classify(""), Action::kReconnect);
}
TEST(Sqlstate, ServerShutdownReconnects) {
  EXPECT_EQ(Classify("57P01"), Action::kReconnect);
  EXPECT_EQ(Classify("57P03"), Action::kReconnect);
}
TEST(Sqlstate, AnOldPrimaryReconnects) { EXPECT_EQ(Classify("25006"), Action::kReconnect); }
TEST(Sqlstate, HavingBeenIdleTooLongReconnects) {
  EXPECT_EQ(Classify("25P03"), Action::kReconnect);
}
TEST(Sqlstate, SerializationFailureRetries) { EXPECT_EQ(Classify("40001"), Action::kRetry); }
TEST(Sqlstate, DeadlockRetries) { EXPECT_EQ(Classify("40P01"), Action::kRetry); }
TEST(Sqlstate, LockTimeoutRetries) { EXPECT_EQ(Classify("55P03"), Action::kRetry); }
TEST(Sqlstate, UniqueViolationIsARace) { EXPECT_EQ(Classify("23505"), Action::kRace); }
TEST(Sqlstate, StatementTimeoutHalves) { EXPECT_EQ(Classify("57014"), Action::kHalve); }
TEST(Sqlstate, LackOfResourcesBacksOff) {
  EXPECT_EQ(Classify("53100"), Action::kBackOff);
  EXPECT_EQ(Classify("53300"), Action::kBackOff);
}
TEST(Sqlstate, SystemErrorBacksOff) { EXPECT_EQ(Classify("58030"), Action::kBackOff); }
TEST(Sqlstate, DataExceptionIsPoison) { EXPECT_EQ(Classify("22P05"), Action::kPoison); }
TEST(Sqlstate, ConstraintViolationIsPoison) { EXPECT_EQ(Classify("23514"), Action::kPoison); }
TEST(Sqlstate, ProgramLimitIsPoison) { EXPECT_EQ(Classify("54000"), Action::kPoison); }
TEST(Sqlstate, OurOwnConflictsArePoison) {
  EXPECT_EQ(Classify("UA001"), Action::kPoison);
  EXPECT_EQ(Classify("UA002"), Action::kPoison);
  EXPECT_EQ(Classify("UA004"), Action::kPoison);
}
TEST(Sqlstate, CompletionUnknownIsAnUnknownCommit) {
  EXPECT_EQ(Classify("40003"), Action::kUnknownCommit);
}
TEST(Sqlstate, AuthorizationStops) { EXPECT_EQ(Classify("28P01"), Action::kStop); }
TEST(Sqlstate, NoSuchDatabaseStops) { EXPECT_EQ(Classify("3D000"), Action::kStop); }
TEST(Sqlstate, PrivilegeOrMissingFunctionStops) {
  EXPECT_EQ(Classify("42501"), Action::kStop);
  EXPECT_EQ(Classify("42883"), Action::kStop);
}
TEST(Sqlstate, NotSupportedStops) { EXPECT_EQ(Classify("0A000"), Action::kStop); }
TEST(Sqlstate, InternalErrorStops) { EXPECT_EQ(Classify("XX000"), Action::kStop); }
TEST(Sqlstate, WhatNobodyThoughtOfStops) {
  EXPECT_EQ(Classify("P0001"), Action::kStop);
  EXPECT_EQ(Classify("UA003"), Action::kStop);
  EXPECT_EQ(Classify("3F000"), Action::kStop);
  EXPECT_EQ(Classify("25001"), Action::kStop);
}

TEST(Sqlstate, TheTableNamesEachPrefixOnce) {
  std::set<std::string> seen;
  for (const SqlstateRule& rule : SqlstateRules()) {
    EXPECT_TRUE(seen.emplace(rule.prefix).second) << rule.prefix;
    EXPECT_EQ(Classify(std::string(rule.prefix) + "000"), rule.action) << rule.prefix;
    EXPECT_STRNE(Name(rule.action), "");
  }
}

}  // namespace
}  // namespace auren::postgres
