# What goes straight into the heap is in the log as anything else: logical decoding, a prepared
# transaction across a crash and a standby see it. And it does go there, unless a trigger wants to know.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\nfsync = on\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION auren');

my $batch = q{events.append_batch(ARRAY['%1$s:1', '%1$s:2', '%1$s:1'], ARRAY['a', 'b', 'c'],
  ARRAY['{"n": 1}', '{"n": 2}', '{"n": 3}']::jsonb[])};
my $read = q{SELECT string_agg(stream_id || '/' || version, ' ' ORDER BY position)
  FROM events.read_category('%s')};

# Which records the log has got for a statement.
sub logged {
  my ($sql) = @_;
  my $from = $node->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');
  $node->safe_psql('postgres', $sql);
  my $to = $node->safe_psql('postgres', 'SELECT pg_switch_wal()');
  my ($out, $err);
  IPC::Run::run(['pg_waldump', '-p', $node->data_dir . '/pg_wal', '-s', $from, '-e', $to], '>', \$out, '2>', \$err)
    or die "pg_waldump: $err";
  return $out;
}
like(logged('SELECT ' . sprintf($batch, 'together')), qr/MULTI_INSERT/, 'a batch is written together');
$node->safe_psql('postgres', q{
  CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
  CREATE TRIGGER watch AFTER INSERT ON events.event_store FOR EACH ROW EXECUTE FUNCTION watch()});
unlike(logged('SELECT ' . sprintf($batch, 'watched')), qr/MULTI_INSERT/, 'and one by one for a trigger');
$node->safe_psql('postgres', 'DROP TRIGGER watch ON events.event_store');

# The index of the deliveries' ids is partial, and no reason for a detour; any other one is. Only deliveries
# have an entry in it.
my $mixed = q{SELECT events.append_batch(ARRAY['%1$s:1', '%1$s:2', '%1$s:1'], ARRAY['%2$s', 'biometric_received', '%2$s'],
  array_fill('{}'::jsonb, ARRAY[3]))};
my $filenode = $node->safe_psql('postgres', q{SELECT pg_relation_filenode('events.idx_event_store_delivery')});
my $log = logged(sprintf($mixed, 'mixed', 'noted'));
like($log, qr/MULTI_INSERT/, 'deliveries are written together with others');
is(scalar(() = $log =~ m{INSERT_LEAF.*/$filenode blk}g), 1, 'and one of three has an entry');
$log = logged(q{SELECT events.append_event('mixed:3', 'biometric_received', '{}'), events.append_event('mixed:3', 'noted', '{}')});
is(scalar(() = $log =~ m{INSERT_LEAF.*/$filenode blk}g), 1, 'as it is one by one');
for my $predicate ("event_type = 'noted'", "event_type <> 'biometric_received'", "stream_id = 'biometric_received'",
  "event_type = 'biometric_received' AND version > 1", 'event_type = (created_by COLLATE "C")') {
  $node->safe_psql('postgres', "CREATE INDEX another ON events.event_store (event_id) WHERE $predicate");
  unlike(logged(sprintf($mixed, 'mixed', 'noted')), qr/MULTI_INSERT/, "one by one for an index where $predicate");
  $node->safe_psql('postgres', 'DROP INDEX events.another');
}
like(logged(sprintf($mixed, 'mixed', 'noted')), qr/MULTI_INSERT/, 'until it is dropped');

# Logical decoding.
$node->safe_psql('postgres', q{SELECT pg_create_logical_replication_slot('s', 'test_decoding')});
$node->safe_psql('postgres', 'SELECT ' . sprintf($batch, 'decoded'));
$node->safe_psql('postgres', q{SELECT events.append_event('decoded:3', 'd', '{"n": 4}')});
$node->safe_psql('postgres', 'BEGIN; SELECT ' . sprintf($batch, 'undone') . '; ROLLBACK');
is($node->safe_psql('postgres', q{
  SELECT string_agg(substring(data FROM 'stream_id\[text\]:''([^'']*)''') || '/' ||
    substring(data FROM 'event_data\[jsonb\]:''([^'']*)'''), ' ')
  FROM pg_logical_slot_get_changes('s', NULL, NULL)
  WHERE data LIKE 'table events.event_store: INSERT:%'}),
  'decoded:1/{"n": 1} decoded:2/{"n": 2} decoded:1/{"n": 3} decoded:3/{"n": 4}',
  'logical decoding tells every event once, in order');
$node->safe_psql('postgres', q{SELECT pg_drop_replication_slot('s')});

# Prepared, then a crash, then committed; another one rolled back.
$node->safe_psql('postgres', 'BEGIN; SELECT ' . sprintf($batch, 'prepared') . q{; PREPARE TRANSACTION 'p'});
$node->safe_psql('postgres', 'BEGIN; SELECT ' . sprintf($batch, 'given_up') . q{; PREPARE TRANSACTION 'g'});
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', q{SELECT events.stream_version('prepared:1')}), '0', 'not there while prepared');
$node->safe_psql('postgres', $_) for q{COMMIT PREPARED 'p'}, q{ROLLBACK PREPARED 'g'};
is($node->safe_psql('postgres', sprintf($read, 'prepared')), 'prepared:1/1 prepared:2/1 prepared:1/2',
  'a prepared batch survives a crash');
is($node->safe_psql('postgres', q{SELECT version FROM events.append('given_up:1', 'a', '{}', p_expected_version => 0)}),
  '1', 'one rolled back leaves nothing');

# A standby has the same.
my $standby = PostgreSQL::Test::Cluster->new('standby');
$node->backup('base');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', 'SELECT ' . sprintf($batch, 'replicated'));
$node->wait_for_catchup($standby);
my $all = q{SELECT md5(string_agg(e::text, ' ' ORDER BY position)) FROM events.event_store AS e};
is($standby->safe_psql('postgres', $all), $node->safe_psql('postgres', $all), 'a standby has every event');
my ($status, $out, $err) = $standby->psql('postgres', 'SELECT ' . sprintf($batch, 'standby'));
like($err, qr/cannot execute events\.append\(\) during recovery/, 'and refuses a batch');

done_testing();
