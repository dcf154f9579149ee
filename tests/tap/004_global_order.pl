# The global order: no event in flight is passed, and nobody else holds readers back; then under fire.
#
#   AUREN_FIRE_SECONDS   for how long (default 4)
#   AUREN_FIRE_SEED      repeats what the writers do, if not when; each run prints its own
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use GlobalOrder;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{AUREN_FIRE_SECONDS} || 4;
my $seed = GlobalOrder::seed();

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

# Nobody else holds readers back. Whoever reads has to find out about a new hole each time.
sub reads_past_a_hole {
  my $what = shift;
  $node->safe_psql('postgres', q{BEGIN; SELECT events.append_event('a:1', 'undone', '{}'); ROLLBACK});
  my $behind = $node->safe_psql('postgres', q{SELECT position FROM events.append('a:1', 'seen', '{}')});
  is($node->safe_psql('postgres', q{SELECT max(position) FROM events.read_category('a')}), $behind, $what);
}

# A writer in another database: a copy, so that whatever it locks has the same oids.
$node->safe_psql('template1', 'CREATE DATABASE copy TEMPLATE postgres');
my $other = $node->background_psql('copy');
$other->query_safe(q{BEGIN; SELECT events.append_event('other:1', 'open', '{}')});
reads_past_a_hole('an append in another database holds nobody back');
$other->quit;

# An idle transaction that has written something else.
my $idle = $node->background_psql('postgres');
$idle->query_safe('BEGIN; CREATE TABLE idle (); SELECT pg_current_xact_id()');
reads_past_a_hole('an idle transaction holds nobody back');
$idle->query_safe('ROLLBACK');

# A VACUUM of the store: it has its lock and waits for a page that a cursor keeps.
$idle->query_safe('BEGIN; DECLARE page CURSOR FOR SELECT * FROM events.event_store; FETCH 1 FROM page');
my $vacuum = $node->background_psql('postgres');
my $pid = $vacuum->query_safe('SELECT pg_backend_pid()');
$vacuum->query_until(qr/begun/, "\\echo begun\nVACUUM (FREEZE) events.event_store;\n\\echo done\n");
my $vacuums = qq{
  SELECT count(*) FROM pg_stat_activity JOIN pg_locks USING (pid)
  WHERE pid = $pid AND wait_event = 'BufferPin'
    AND relation = 'events.event_store'::regclass AND mode = 'ShareUpdateExclusiveLock' AND granted};
ok($node->poll_query_until('postgres', $vacuums, '1'), 'VACUUM is at work');
reads_past_a_hole('VACUUM of the store holds nobody back');
is($node->safe_psql('postgres', $vacuums), '1', 'it still is');
$idle->query_safe('COMMIT');
$vacuum->query_until(qr/done/, '');
$_->quit for $idle, $vacuum;

# Under fire.
GlobalOrder::prepare($node);
my $writers = GlobalOrder::start($node, $seconds, $seed);
my @readers = (map({ GlobalOrder::reader($node, $_) } 60, 500), GlobalOrder::reader($node, 1000, 'fire'));
while (GlobalOrder::writing($writers)) { GlobalOrder::follow($_) for @readers; }
GlobalOrder::finish($writers);
for my $reader (@readers) { 1 while GlobalOrder::follow($reader); }
cmp_ok(scalar(@{ $readers[0]{read} }), '>', 500, 'a good many events');
is(GlobalOrder::faults($_, $node), '', "a reader by $_->{limit} of category $_->{category} saw every event once, in order")
  for @readers;
is($node->safe_psql('postgres', q{
    SELECT count(*) FROM (SELECT stream_id FROM events.event_store GROUP BY stream_id
      HAVING count(*) <> max(version) OR min(version) <> 1) AS gaps}), '0', 'no stream has a gap');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT FROM events.event_store GROUP BY position HAVING count(*) > 1) AS twice'),
  '0', 'no position was given twice');

# That it is the gate which keeps them whole, and the checker which would tell: the same INSERTs, their
# positions drawn behind the gate at first, then by nextval alone.
sub fire_by_insert {
  my $nth = shift;
  my $inserters = GlobalOrder::start($node, 1, $seed + $nth);
  GlobalOrder::follow($readers[0]) while GlobalOrder::writing($inserters);
  GlobalOrder::finish($inserters);
  1 while GlobalOrder::follow($readers[0]);
  return GlobalOrder::faults($readers[0], $node);
}
GlobalOrder::insert_only($node);
is(fire_by_insert(1), '', 'INSERTs behind the gate reach the reader, too');
$node->safe_psql('postgres', q{
  CREATE OR REPLACE FUNCTION events.next_position() RETURNS bigint LANGUAGE sql AS
    $$ SELECT nextval('events.event_store_position_seq') $$});
my ($faults, $nth) = ('', 1);
$faults = fire_by_insert(++$nth) while $faults eq '' && $nth < 30;
like($faults, qr/^lost: \d+/, 'without the gate a reader loses events, and the checker says so');

$_->{session}->quit for @readers;
done_testing();
