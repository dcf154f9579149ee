# pg_dump carries the events, archived or not, their positions, hashes and the sequence; the restored store
# goes on from there and is guarded as the old one was.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $id = '50000000-0000-0000-0000-000000000001';
my $rows = q{SELECT (SELECT md5(string_agg(e::text, E'\n' ORDER BY position)) FROM events.event_store AS e),
  (SELECT md5(string_agg(e::text, E'\n' ORDER BY position)) FROM events.event_archive AS e)};

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->append_conf('postgresql.conf', "auren.hash_chain = on\n");
$old->start;
$old->safe_psql('postgres', 'CREATE EXTENSION auren');
$old->safe_psql('postgres', qq{
  SELECT events.append_event('order:1', 'placed', '{"sum": 1.50}', 'ada', 0, '$id', '{"ip": "::1"}');
  SELECT events.append_event('order:' || n % 7, 'changed', jsonb_build_object('n', n, 'text', repeat('ü', n * 20)))
  FROM generate_series(1, 300) AS n;
  BEGIN; SELECT events.append_event('order:1', 'undone', '{}'); ROLLBACK;
  SELECT events.archive_stream('order:1'), events.archive_stream('order:2'), events.archive_stream('order:3');
  SELECT events.append_event('order:2', 'woken', '{}'), events.tombstone_stream('order:3'), events.tombstone_stream('order:4');
  SELECT events.create_subscription('invoices', 'order');
  SELECT events.ack_subscription('invoices', 10, 1, 2), events.ack_subscription('invoices', 7, 2, 2);
});
my $places = q{SELECT string_agg(concat_ws(' ', s, c), ', ' ORDER BY c.member)
  FROM events.subscriptions AS s JOIN events.subscription_checkpoints AS c USING (name)};
my $stood = $old->safe_psql('postgres', $places);
like($stood, qr/invoices/, 'a subscription has a place');
my $want = $old->safe_psql('postgres', $rows);
like($want, qr/^[0-9a-f]{32}\|[0-9a-f]{32}$/, 'there are events in the store and in the archive');
my $heads = q{SELECT string_agg(v::text, ' ' ORDER BY n) FROM generate_series(0, 6) AS n, events.verify_stream('order:' || n) AS v};
my $chained = $old->safe_psql('postgres', $heads);
my $last = $old->safe_psql('postgres', 'SELECT last_value FROM events.event_store_position_seq');

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
$new->start;
my $file = "$PostgreSQL::Test::Utils::tmp_check/store";

for my $format ('custom', 'plain') {
  my $database = "restored_$format";
  $old->command_ok([ 'pg_dump', "--format=$format", "--file=$file.$format", 'postgres' ], "pg_dump, $format");
  $new->safe_psql('postgres', "CREATE DATABASE $database");
  if ($format eq 'custom') {
    $new->command_ok([ 'pg_restore', '--exit-on-error', "--dbname=$database", "$file.$format" ], 'pg_restore');
  } else {
    $new->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$file.$format", $database ], 'psql');
  }
  is($new->safe_psql($database, $rows), $want, "$format: every event as it was");
  is($new->safe_psql($database, $heads), $chained, "$format: every hash chain holds, with the same head");
  is($new->safe_psql($database, 'SELECT count(*) FROM events.verify() WHERE NOT ok'), '0', "$format: the store is sound");
  is($new->safe_psql($database, $places), $stood, "$format: the subscriptions stand where they stood");
  is($new->safe_psql($database, q{SELECT min(position) FROM events.poll_subscription('invoices', 1)}), '8',
    "$format: and go on from there");
  is($new->safe_psql($database, 'SELECT last_value FROM events.event_store_position_seq'), $last,
    "$format: the sequence stands where it stood");
  is($new->safe_psql($database, qq{SELECT version, was_duplicate FROM events.append('order:1', 'placed', '{"sum": 1.50}', p_event_id => '$id')}),
    '1|t', "$format: a repeated id is still known");
  is($new->safe_psql($database, qq{
      SELECT a.version - s.version, a.position > $last
      FROM (SELECT events.stream_version('order:1') AS version) AS s, events.append('order:1', 'changed', '{}') AS a}),
    '1|t', "$format: versions and positions go on");
  is($new->safe_psql($database, q{SELECT ok, version - chained_from FROM events.verify_stream('order:1')}),
    $new->safe_psql($database, q{SELECT true, events.stream_version('order:1') - 1}), "$format: so does the chain");
  for my $table ('event_store', 'event_archive') {
    my ($status, $out, $err) = $new->psql($database, "SET session_replication_role = replica; DELETE FROM events.$table");
    like($err, qr/cannot delete from "events\.$table": events are immutable/, "$format: the guard of $table is in place");
  }
  for my $stream ('order:3', 'order:4') {
    my ($status, $out, $err) = $new->psql($database, "SELECT events.append_event('$stream', 'late', '{}')");
    like($err, qr/stream "$stream" is closed/, "$format: what was closed stays closed");
  }
}

done_testing();
