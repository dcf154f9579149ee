// Every difference between PostgreSQL versions that AUREN meets, and nothing else.
#pragma once

#if PG_VERSION_NUM < 150000
#error "AUREN needs PostgreSQL 15 or later"
#endif

// 15.9, 16.5 and 17.1 changed the size of ResultRelInfo and their successors changed it back: a
// module built against them crashes on the others.
#if PG_VERSION_NUM == 150009 || PG_VERSION_NUM == 160005 || PG_VERSION_NUM == 170001
#error "this PostgreSQL minor version has a broken extension ABI; build against the next one"
#endif

// The number of the running transaction among those of this connection.
#if PG_VERSION_NUM >= 170000
#define AUREN_LOCAL_TRANSACTION_ID() (MyProc->vxid.lxid)
#else
#define AUREN_LOCAL_TRANSACTION_ID() (MyProc->lxid)
#endif

// index_beginscan takes an instrumentation argument from 18 on.
#if PG_VERSION_NUM >= 180000
#define AUREN_INDEX_BEGINSCAN(table, index, snapshot, keys) \
  index_beginscan(table, index, snapshot, nullptr, keys, 0)
#else
#define AUREN_INDEX_BEGINSCAN(table, index, snapshot, keys) \
  index_beginscan(table, index, snapshot, keys, 0)
#endif

// LockHeldByMe asks about stronger modes, too, from 17 on.
#if PG_VERSION_NUM >= 170000
#define AUREN_LOCK_HELD_BY_ME(tag, mode) LockHeldByMe(tag, mode, false)
#else
#define AUREN_LOCK_HELD_BY_ME(tag, mode) LockHeldByMe(tag, mode)
#endif

// ExecInsertIndexTuples asks about summarizing indexes from 16 on.
#if PG_VERSION_NUM >= 160000
#define AUREN_INSERT_INDEX_TUPLES(target, slot, estate) \
  ExecInsertIndexTuples(target, slot, estate, false, false, nullptr, NIL, false)
#else
#define AUREN_INSERT_INDEX_TUPLES(target, slot, estate) \
  ExecInsertIndexTuples(target, slot, estate, false, false, nullptr, NIL)
#endif

// Each kind of object had its own privilege check before 16.
#if PG_VERSION_NUM >= 160000
#define AUREN_FUNCTION_ACLCHECK(function, role) \
  object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE)
#else
#define AUREN_FUNCTION_ACLCHECK(function, role) pg_proc_aclcheck(function, role, ACL_EXECUTE)
#endif
