# A move between store and archive is a transaction as any other: a crash leaves all of it or nothing, a
# standby and logical decoding see it.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "fsync = on\nautovacuum = off\nrestart_after_crash = on\nmax_prepared_transactions = 5\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION auren');
$node->safe_psql('postgres', q{
  SELECT events.append_batch(array_agg('crash:' || n % 300), array_agg('t'::text), array_agg(jsonb_build_object('n', n)))
  FROM generate_series(1, 3000) AS n});
my $contents = q{SELECT count(*), count(DISTINCT position), md5(string_agg(e::text, ' ' ORDER BY position)) FROM events.all_events AS e};
my $lies = q{SELECT (SELECT count(*) FROM events.event_store), (SELECT count(*) FROM events.event_archive)};
my $sound = q{SELECT string_agg(check_name, ' ') FROM events.verify() WHERE NOT ok};
my $before = $node->safe_psql('postgres', $contents);

# Killed in the middle: it has moved many streams and waits for a row that somebody has locked.
$node->safe_psql('postgres', q{CREATE UNLOGGED TABLE not_crashed AS SELECT 1 AS yes});
my $locker = $node->background_psql('postgres');
$locker->query_safe(q{BEGIN; SELECT version FROM events.event_store WHERE (stream_id, version) = ('crash:299', 10) FOR UPDATE});
my $mover = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $mover->query_safe('SELECT pg_backend_pid()');
$mover->query_until(qr/moving/, qq{\\echo moving\nSELECT events.archive_older_than('crash', 'infinity');\n});
$node->poll_query_until('postgres', qq{SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid})
  or die 'the move does not come to the row';
kill 'KILL', $pid;
# A crash empties what is not logged.
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM not_crashed') or die 'the server does not come back';
eval { $_->quit } for $locker, $mover;
is($node->safe_psql('postgres', $lies), '3000|0', 'killed in the middle, nothing has moved');
is($node->safe_psql('postgres', $contents), $before, 'nothing is lost or there twice');
is($node->safe_psql('postgres', $sound), '', 'and the store is sound');

# Committed, then the server is killed; prepared, and decided after that.
is($node->safe_psql('postgres', q{SELECT events.archive_older_than('crash', 'infinity', 200)}), '200', 'it is done again, in part');
$node->safe_psql('postgres', q{BEGIN; SELECT events.archive_stream('crash:' || n) FROM generate_series(0, 299) AS n; PREPARE TRANSACTION 'rest'});
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', $lies), '1000|2000', 'committed, a move survives a crash');
$node->safe_psql('postgres', q{COMMIT PREPARED 'rest'});
is($node->safe_psql('postgres', $lies), '0|3000', 'prepared as well');
is($node->safe_psql('postgres', $contents), $before, 'every event is as it was');
is($node->safe_psql('postgres', q{SELECT version FROM events.append('crash:7', 'woken', '{}', p_expected_version => 10)}), '11',
  'an archived stream goes on');
is($node->safe_psql('postgres', $sound), '', 'and the store is sound');

# A standby.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{
  SELECT events.append_batch(ARRAY['standby:1', 'standby:2', 'standby:1'], ARRAY['a', 'b', 'c'], array_fill('{}'::jsonb, ARRAY[3]));
  SELECT events.archive_stream('standby:1'), events.restore_stream('crash:1')});
$node->wait_for_catchup($standby);
for my $query ($contents, $lies, q{SELECT string_agg(version || event_type, ' ') FROM events.replay_stream('standby:1')},
  q{SELECT md5(string_agg(e::text, ' ')) FROM events.read_all(0, 3000) AS e}) {
  is($standby->safe_psql('postgres', $query), $node->safe_psql('postgres', $query), "a standby answers the same: $query");
}
my ($status, $out, $err) = $standby->psql('postgres', q{SELECT events.archive_stream('standby:2')});
like($err, qr/during recovery/, 'and moves nothing itself');

# Logical decoding.
$node->safe_psql('postgres', q{SELECT pg_create_logical_replication_slot('s', 'test_decoding')});
$node->safe_psql('postgres', q{BEGIN; SELECT events.archive_stream('standby:2'); ROLLBACK; SELECT events.restore_stream('standby:1')});
is($node->safe_psql('postgres', q{
  SELECT string_agg(substring(data FROM '^table events\.(\w+: \w+):') || substring(data FROM ' version\[bigint\]:(\d+)'), ', ')
  FROM pg_logical_slot_get_changes('s', NULL, NULL) WHERE data LIKE 'table %'}),
  'event_store: INSERT1, event_store: INSERT2, event_archive: DELETE1, event_archive: DELETE2',
  'logical decoding tells a move as what it is');
$node->safe_psql('postgres', q{SELECT pg_drop_replication_slot('s')});

# A stream whose events lie on more pages than there are buffers, one on each.
is($node->safe_psql('postgres', q{SELECT setting::int < 500 FROM pg_settings WHERE name = 'shared_buffers'}), 't', 'there are few buffers');
$node->safe_psql('postgres', q{
  SELECT events.append_batch(array_agg(CASE n % 5 WHEN 0 THEN 'wide:1' ELSE 'between:1' END), array_agg('t'::text),
    array_agg(jsonb_build_object('filling', CASE WHEN n % 5 > 0 THEN repeat('x', 1800) END)))
  FROM generate_series(1, 3000) AS n});
is($node->safe_psql('postgres', q{SELECT count(DISTINCT (ctid::text::point)[0]) > 500 FROM events.event_store WHERE stream_id = 'wide:1'}),
  't', 'a stream lies scattered');
is($node->safe_psql('postgres', q{SELECT events.archive_stream('wide:1')}), '600', 'and moves');

# One long stream.
$node->safe_psql('postgres', q{
  SELECT events.append_batch(array_fill('long:1'::text, ARRAY[100000]), array_fill('t'::text, ARRAY[100000]),
    array_agg(jsonb_build_object('n', n, 'text', repeat('x', n % 100)) ORDER BY n))
  FROM generate_series(1, 100000) AS n});
my $long = q{SELECT md5(string_agg(e::text, ' ')) FROM events.replay_stream('long:1') AS e};
my $was = $node->safe_psql('postgres', $long);
is($node->safe_psql('postgres', q{SELECT events.archive_stream('long:1')}), '100000', 'a stream of 100,000 events moves in one call');
is($node->safe_psql('postgres', $long), $was, 'and is the same there');

done_testing();
