extension/src/events/state.o: extension/src/events/state.cpp \
 extension/src/events/fold.h extension/src/postgres/backend.h \
 extension/src/core/status.h \
 /tmp/w/pg-events/include/postgresql/15/server/postgres.h \
 /tmp/w/pg-events/include/postgresql/15/server/c.h \
 /tmp/w/pg-events/include/postgresql/15/server/postgres_ext.h \
 /tmp/w/pg-events/include/postgresql/15/server/pg_config_ext.h \
 /tmp/w/pg-events/include/postgresql/15/server/pg_config.h \
 /tmp/w/pg-events/include/postgresql/15/server/pg_config_manual.h \
 /tmp/w/pg-events/include/postgresql/15/server/pg_config_os.h \
 /tmp/w/pg-events/include/postgresql/15/server/port.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/elog.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/errcodes.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/palloc.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/xact.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/transam.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/xlogdefs.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/xlogreader.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/xlogrecord.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/rmgr.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/rmgrlist.h \
 /tmp/w/pg-events/include/postgresql/15/server/port/pg_crc32c.h \
 /tmp/w/pg-events/include/postgresql/15/server/port/pg_bswap.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/block.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/relfilenode.h \
 /tmp/w/pg-events/include/postgresql/15/server/common/relpath.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/catversion.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/backendid.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/buf.h \
 /tmp/w/pg-events/include/postgresql/15/server/datatype/timestamp.h \
 /tmp/w/pg-events/include/postgresql/15/server/lib/stringinfo.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/pg_list.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/nodes.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/sinval.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_type.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/genbki.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/objectaddress.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/htup.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/itemptr.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/off.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/itemid.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/parsenodes.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/bitmapset.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/lockoptions.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/primnodes.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/attnum.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/value.h \
 /tmp/w/pg-events/include/postgresql/15/server/partitioning/partdefs.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/lockdefs.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/relcache.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/tupdesc.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_attribute.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_attribute_d.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_type_d.h \
 /tmp/w/pg-events/include/postgresql/15/server/executor/spi.h \
 /tmp/w/pg-events/include/postgresql/15/server/commands/trigger.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/tableam.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/relscan.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/htup_details.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/tupmacs.h \
 /tmp/w/pg-events/include/postgresql/15/server/common/int.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/bufpage.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/item.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/itup.h \
 /tmp/w/pg-events/include/postgresql/15/server/port/atomics.h \
 /tmp/w/pg-events/include/postgresql/15/server/port/atomics/arch-x86.h \
 /tmp/w/pg-events/include/postgresql/15/server/port/atomics/generic-gcc.h \
 /tmp/w/pg-events/include/postgresql/15/server/port/atomics/fallback.h \
 /tmp/w/pg-events/include/postgresql/15/server/port/atomics/generic.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/spin.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/s_lock.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/sdir.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/guc.h \
 /tmp/w/pg-events/include/postgresql/15/server/tcop/dest.h \
 /tmp/w/pg-events/include/postgresql/15/server/executor/tuptable.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/sysattr.h \
 /tmp/w/pg-events/include/postgresql/15/server/tcop/cmdtag.h \
 /tmp/w/pg-events/include/postgresql/15/server/tcop/cmdtaglist.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/array.h \
 /tmp/w/pg-events/include/postgresql/15/server/fmgr.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/expandeddatum.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/rel.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/xlog.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_class.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_class_d.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_index.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_index_d.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_publication.h \
 /tmp/w/pg-events/include/postgresql/15/server/catalog/pg_publication_d.h \
 /tmp/w/pg-events/include/postgresql/15/server/rewrite/prs2lock.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/smgr.h \
 /tmp/w/pg-events/include/postgresql/15/server/lib/ilist.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/reltrigger.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/snapshot.h \
 /tmp/w/pg-events/include/postgresql/15/server/lib/pairingheap.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/execnodes.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/tupconvert.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/attmap.h \
 /tmp/w/pg-events/include/postgresql/15/server/executor/instrument.h \
 /tmp/w/pg-events/include/postgresql/15/server/portability/instr_time.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/params.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/plannodes.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/stratnum.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/tidbitmap.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/dsa.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/dsm.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/dsm_impl.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/condition_variable.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/proclist_types.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/hsearch.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/queryenvironment.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/sharedtuplestore.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/fd.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/sharedfileset.h \
 /tmp/w/pg-events/include/postgresql/15/server/storage/fileset.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/sortsupport.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/tuplesort.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/tuplestore.h \
 /tmp/w/pg-events/include/postgresql/15/server/lib/simplehash.h \
 /tmp/w/pg-events/include/postgresql/15/server/port/pg_bitutils.h \
 /tmp/w/pg-events/include/postgresql/15/server/parser/parser.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/portal.h \
 /tmp/w/pg-events/include/postgresql/15/server/executor/execdesc.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/plancache.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/resowner.h \
 /tmp/w/pg-events/include/postgresql/15/server/funcapi.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/tupdesc.h \
 /tmp/w/pg-events/include/postgresql/15/server/executor/executor.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/memutils.h \
 /tmp/w/pg-events/include/postgresql/15/server/nodes/memnodes.h \
 /tmp/w/pg-events/include/postgresql/15/server/executor/tuptable.h \
 /tmp/w/pg-events/include/postgresql/15/server/fmgr.h \
 /tmp/w/pg-events/include/postgresql/15/server/miscadmin.h \
 /tmp/w/pg-events/include/postgresql/15/server/datatype/timestamp.h \
 /tmp/w/pg-events/include/postgresql/15/server/pgtime.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/builtins.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/fmgrprotos.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/jsonb.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/numeric.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/timestamp.h \
 /tmp/w/pg-events/include/postgresql/15/server/pgtime.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/uuid.h \
 extension/src/postgres/compat.h extension/src/events/store.h \
 extension/src/postgres/values.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/genam.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/skey.h \
 /tmp/w/pg-events/include/postgresql/15/server/access/table.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/fmgroids.h \
 /tmp/w/pg-events/include/postgresql/15/server/utils/snapmgr.h
extension/src/events/fold.h:
extension/src/postgres/backend.h:
extension/src/core/status.h:
/tmp/w/pg-events/include/postgresql/15/server/postgres.h:
/tmp/w/pg-events/include/postgresql/15/server/c.h:
/tmp/w/pg-events/include/postgresql/15/server/postgres_ext.h:
/tmp/w/pg-events/include/postgresql/15/server/pg_config_ext.h:
/tmp/w/pg-events/include/postgresql/15/server/pg_config.h:
/tmp/w/pg-events/include/postgresql/15/server/pg_config_manual.h:
/tmp/w/pg-events/include/postgresql/15/server/pg_config_os.h:
/tmp/w/pg-events/include/postgresql/15/server/port.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/elog.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/errcodes.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/palloc.h:
/tmp/w/pg-events/include/postgresql/15/server/access/xact.h:
/tmp/w/pg-events/include/postgresql/15/server/access/transam.h:
/tmp/w/pg-events/include/postgresql/15/server/access/xlogdefs.h:
/tmp/w/pg-events/include/postgresql/15/server/access/xlogreader.h:
/tmp/w/pg-events/include/postgresql/15/server/access/xlogrecord.h:
/tmp/w/pg-events/include/postgresql/15/server/access/rmgr.h:
/tmp/w/pg-events/include/postgresql/15/server/access/rmgrlist.h:
/tmp/w/pg-events/include/postgresql/15/server/port/pg_crc32c.h:
/tmp/w/pg-events/include/postgresql/15/server/port/pg_bswap.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/block.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/relfilenode.h:
/tmp/w/pg-events/include/postgresql/15/server/common/relpath.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/catversion.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/backendid.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/buf.h:
/tmp/w/pg-events/include/postgresql/15/server/datatype/timestamp.h:
/tmp/w/pg-events/include/postgresql/15/server/lib/stringinfo.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/pg_list.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/nodes.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/sinval.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_type.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/genbki.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/objectaddress.h:
/tmp/w/pg-events/include/postgresql/15/server/access/htup.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/itemptr.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/off.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/itemid.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/parsenodes.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/bitmapset.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/lockoptions.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/primnodes.h:
/tmp/w/pg-events/include/postgresql/15/server/access/attnum.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/value.h:
/tmp/w/pg-events/include/postgresql/15/server/partitioning/partdefs.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/lockdefs.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/relcache.h:
/tmp/w/pg-events/include/postgresql/15/server/access/tupdesc.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_attribute.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_attribute_d.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_type_d.h:
/tmp/w/pg-events/include/postgresql/15/server/executor/spi.h:
/tmp/w/pg-events/include/postgresql/15/server/commands/trigger.h:
/tmp/w/pg-events/include/postgresql/15/server/access/tableam.h:
/tmp/w/pg-events/include/postgresql/15/server/access/relscan.h:
/tmp/w/pg-events/include/postgresql/15/server/access/htup_details.h:
/tmp/w/pg-events/include/postgresql/15/server/access/tupmacs.h:
/tmp/w/pg-events/include/postgresql/15/server/common/int.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/bufpage.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/item.h:
/tmp/w/pg-events/include/postgresql/15/server/access/itup.h:
/tmp/w/pg-events/include/postgresql/15/server/port/atomics.h:
/tmp/w/pg-events/include/postgresql/15/server/port/atomics/arch-x86.h:
/tmp/w/pg-events/include/postgresql/15/server/port/atomics/generic-gcc.h:
/tmp/w/pg-events/include/postgresql/15/server/port/atomics/fallback.h:
/tmp/w/pg-events/include/postgresql/15/server/port/atomics/generic.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/spin.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/s_lock.h:
/tmp/w/pg-events/include/postgresql/15/server/access/sdir.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/guc.h:
/tmp/w/pg-events/include/postgresql/15/server/tcop/dest.h:
/tmp/w/pg-events/include/postgresql/15/server/executor/tuptable.h:
/tmp/w/pg-events/include/postgresql/15/server/access/sysattr.h:
/tmp/w/pg-events/include/postgresql/15/server/tcop/cmdtag.h:
/tmp/w/pg-events/include/postgresql/15/server/tcop/cmdtaglist.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/array.h:
/tmp/w/pg-events/include/postgresql/15/server/fmgr.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/expandeddatum.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/rel.h:
/tmp/w/pg-events/include/postgresql/15/server/access/xlog.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_class.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_class_d.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_index.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_index_d.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_publication.h:
/tmp/w/pg-events/include/postgresql/15/server/catalog/pg_publication_d.h:
/tmp/w/pg-events/include/postgresql/15/server/rewrite/prs2lock.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/smgr.h:
/tmp/w/pg-events/include/postgresql/15/server/lib/ilist.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/reltrigger.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/snapshot.h:
/tmp/w/pg-events/include/postgresql/15/server/lib/pairingheap.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/execnodes.h:
/tmp/w/pg-events/include/postgresql/15/server/access/tupconvert.h:
/tmp/w/pg-events/include/postgresql/15/server/access/attmap.h:
/tmp/w/pg-events/include/postgresql/15/server/executor/instrument.h:
/tmp/w/pg-events/include/postgresql/15/server/portability/instr_time.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/params.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/plannodes.h:
/tmp/w/pg-events/include/postgresql/15/server/access/stratnum.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/tidbitmap.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/dsa.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/dsm.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/dsm_impl.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/condition_variable.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/proclist_types.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/hsearch.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/queryenvironment.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/sharedtuplestore.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/fd.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/sharedfileset.h:
/tmp/w/pg-events/include/postgresql/15/server/storage/fileset.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/sortsupport.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/tuplesort.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/tuplestore.h:
/tmp/w/pg-events/include/postgresql/15/server/lib/simplehash.h:
/tmp/w/pg-events/include/postgresql/15/server/port/pg_bitutils.h:
/tmp/w/pg-events/include/postgresql/15/server/parser/parser.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/portal.h:
/tmp/w/pg-events/include/postgresql/15/server/executor/execdesc.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/plancache.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/resowner.h:
/tmp/w/pg-events/include/postgresql/15/server/funcapi.h:
/tmp/w/pg-events/include/postgresql/15/server/access/tupdesc.h:
/tmp/w/pg-events/include/postgresql/15/server/executor/executor.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/memutils.h:
/tmp/w/pg-events/include/postgresql/15/server/nodes/memnodes.h:
/tmp/w/pg-events/include/postgresql/15/server/executor/tuptable.h:
/tmp/w/pg-events/include/postgresql/15/server/fmgr.h:
/tmp/w/pg-events/include/postgresql/15/server/miscadmin.h:
/tmp/w/pg-events/include/postgresql/15/server/datatype/timestamp.h:
/tmp/w/pg-events/include/postgresql/15/server/pgtime.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/builtins.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/fmgrprotos.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/jsonb.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/numeric.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/timestamp.h:
/tmp/w/pg-events/include/postgresql/15/server/pgtime.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/uuid.h:
extension/src/postgres/compat.h:
extension/src/events/store.h:
extension/src/postgres/values.h:
/tmp/w/pg-events/include/postgresql/15/server/access/genam.h:
/tmp/w/pg-events/include/postgresql/15/server/access/skey.h:
/tmp/w/pg-events/include/postgresql/15/server/access/table.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/fmgroids.h:
/tmp/w/pg-events/include/postgresql/15/server/utils/snapmgr.h:
