// Every difference between PostgreSQL versions that AUREN meets, and nothing else.
#pragma once

#if PG_VERSION_NUM < 150000
#error "AUREN needs PostgreSQL 15 or later"
#endif

// 15.9, 16.5 and 17.1 changed the size of ResultRelInfo and their successors changed it back: a module
// built against them crashes on the others.
#if PG_VERSION_NUM == 150009 || PG_VERSION_NUM == 160005 || PG_VERSION_NUM == 170001
#error "this PostgreSQL minor version has a broken extension ABI; build against the next one"
#endif
