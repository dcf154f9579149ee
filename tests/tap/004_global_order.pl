# The global order under fire: writers that commit late, abort, use savepoints, prepare, and INSERT as the
# owner, while readers follow. Every committed event must reach every reader once, in position order.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{AUREN_FIRE_SECONDS} // 4;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 50\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION auren');

# A prepared append is in flight until it is decided, whoever decides it.
$node->safe_psql('postgres', q{BEGIN; SELECT events.append_event('prepared:1', 'early', '{}'); PREPARE TRANSACTION 'p'});
$node->safe_psql('postgres', q{SELECT events.append_event('prepared:2', 'late', '{}')});
is($node->safe_psql('postgres', 'SELECT count(*) FROM events.read_all()'), '0', 'nothing passes a prepared append');
$node->restart;
is($node->safe_psql('postgres', 'SELECT count(*) FROM events.read_all()'), '0', 'nor after a restart');
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
is($node->safe_psql('postgres', q{SELECT string_agg(event_type, ' ') FROM events.read_all()}), 'early late',
  'then both are read, in order');

# A writer in another database is none of our business.
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION auren');
my $other = $node->background_psql('other');
$other->query_safe(q{BEGIN; SELECT events.append_event('other:1', 'open', '{}')});
$node->safe_psql('postgres', q{BEGIN; SELECT events.append_event('a:1', 'undone', '{}'); ROLLBACK});
$node->safe_psql('postgres', q{SELECT events.append_event('a:1', 'seen', '{}')});
is($node->safe_psql('postgres', q{SELECT count(*) FROM events.read_category('a')}), '1',
  'an append in another database holds nobody back');
$other->quit;

my $script = "$PostgreSQL::Test::Utils::tmp_check/writer.sql";
append_to_file($script, q{
\set what random(1, 10)
\set stream random(1, 40)
\set pause random(1, 3000)
BEGIN;
\if :what = 1
SELECT events.append_event('fire:' || :stream, 'undone', '{}');
ROLLBACK;
\elif :what = 2
SELECT events.append_event('fire:' || :stream, 'kept', '{}');
SAVEPOINT s;
SELECT events.append_event('fire:' || :stream, 'undone', '{}');
ROLLBACK TO s;
SELECT events.append_event('fire:' || :stream, 'kept', '{}');
COMMIT;
\elif :what = 3
SAVEPOINT s;
SELECT events.append_event('fire:' || :stream, 'undone', '{}');
ROLLBACK TO s;
\sleep :pause us
COMMIT;
\elif :what = 4
SELECT events.append_event('fire:' || :stream, 'slow', '{}');
\sleep :pause us
COMMIT;
\elif :what = 5
INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at)
VALUES (gen_random_uuid(), 'raw:' || gen_random_uuid(), 1, 'raw', '{}', 'owner', now());
\sleep :pause us
COMMIT;
\elif :what = 6
SELECT events.append_event('fire:' || :stream, 'prepared', '{}');
PREPARE TRANSACTION 'fire_:client_id';
\sleep :pause us
COMMIT PREPARED 'fire_:client_id';
\else
SELECT events.append_batch(ARRAY['fire:' || :stream, 'fire:' || (:stream + 1)], ARRAY['a', 'b'], ARRAY['{}', '{}']::jsonb[]);
COMMIT;
\endif
});

my ($out, $err) = ('', '');
my $writers = IPC::Run::start(
  [ 'pgbench', '-n', '-c', '8', '-j', '2', '-T', $seconds, '--random-seed=' . ($ENV{AUREN_FIRE_SEED} // 1), '--max-tries=100',
    '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
  '>', \$out, '2>', \$err);

my @readers = map { { session => $node->background_psql('postgres'), after => 0, read => '', limit => $_ } } (60, 500);
$_->{session}->query_safe('SET client_min_messages = warning') for @readers;
my %category = (session => $node->background_psql('postgres'), after => 0, read => '');

sub follow {
  my ($reader, $source) = @_;
  my $rows = $reader->{session}->query_safe(
    "SELECT coalesce(string_agg(position::text, ' ' ORDER BY n), '') FROM $source WITH ORDINALITY AS r (position, n)");
  return 0 if $rows eq '';
  $reader->{read} .= "$rows ";
  ($reader->{after}) = $rows =~ /(\d+)$/;
  return 1;
}
sub source_all { my $r = shift; return "ROWS FROM (positions_all($r->{after}, $r->{limit}))"; }
sub source_category { my $r = shift; return "ROWS FROM (positions_category($r->{after}))"; }
$node->safe_psql('postgres', q{
  CREATE FUNCTION positions_all(bigint, int) RETURNS SETOF bigint LANGUAGE sql AS 'SELECT position FROM events.read_all($1, $2)';
  CREATE FUNCTION positions_category(bigint) RETURNS SETOF bigint LANGUAGE sql AS
    'SELECT position FROM events.read_category(''fire'', $1)'});

while ($writers->pumpable) {
  follow($_, source_all($_)) for @readers;
  follow(\%category, source_category(\%category));
  $writers->pump_nb;
}
ok($writers->finish, 'the writers wrote') or diag("$out\n$err");
for my $reader (@readers) { 1 while follow($reader, source_all($reader)); }
1 while follow(\%category, source_category(\%category));

my $all = $node->safe_psql('postgres', q{SELECT string_agg(position::text, ' ' ORDER BY position) FROM events.event_store});
my $fire = $node->safe_psql('postgres',
  q{SELECT string_agg(position::text, ' ' ORDER BY position) FROM events.event_store WHERE stream_id LIKE 'fire:%'});
my $count = () = $all =~ /\d+/g;
cmp_ok($count, '>', 500, "$count events were written");
ok($_->{read} eq "$all ", "a reader by $_->{limit} saw every event once, in order") for @readers;
ok($category{read} eq "$fire ", 'a reader of one category, too');
is($node->safe_psql('postgres', q{
    SELECT count(*) FROM (SELECT stream_id FROM events.event_store GROUP BY stream_id
      HAVING count(*) <> max(version) OR min(version) <> 1) AS gaps}), '0', 'no stream has a gap');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT FROM events.event_store GROUP BY position HAVING count(*) > 1) AS twice'),
  '0', 'no position was given twice');

$_->{session}->quit for @readers, \%category;
done_testing();
