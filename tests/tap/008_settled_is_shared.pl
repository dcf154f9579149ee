# What one connection has proved settled the others know, too, when the library is preloaded; not sooner than
# their snapshots allow, and nothing of another database or of a sequence that has been replaced.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub append { my $stream = shift; return "SELECT position FROM events.append('$stream', 'seen', '{}')"; }
my $hole = 'BEGIN; ' . append('shared:undone') . '; ROLLBACK;';
my $read = q{SELECT coalesce(string_agg(stream_id, ' ' ORDER BY position), '') FROM events.read_all()};
my $safe = 'SELECT events.safe_position()';

for my $preload ('', 'auren') {
  my $kind = $preload ? 'preloaded' : 'not preloaded';
  my $node = PostgreSQL::Test::Cluster->new($preload ? 'preloaded' : 'plain');
  $node->init;
  $node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\n");
  $node->start;
  $node->safe_psql('postgres', 'CREATE EXTENSION auren');
  $node->safe_psql('postgres', q{SELECT events.create_subscription('shared')});
  # A copy: its sequence has the same oid.
  $node->safe_psql('template1', 'CREATE DATABASE copy TEMPLATE postgres');

  # A hole that one has proved, and an append in flight, so that nobody else can.
  my ($writer, $proves, $other, $repeatable) = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 4;
  $repeatable->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;');
  $node->safe_psql('postgres', $hole);
  my $behind = $node->safe_psql('postgres', append('shared:behind'));
  is($proves->query_safe($read), 'shared:behind', "$kind: one reads past the hole");
  my $open = $writer->query_safe('BEGIN; ' . append('shared:open') . ';');
  my $late = $node->safe_psql('postgres', append('shared:late'));
  is($other->query_safe($read), $preload ? 'shared:behind' : '', "$kind: what another one reads then");
  is($other->query_safe($safe), $preload ? $behind : 0, "$kind: and takes for settled");
  $other->query("SELECT events.ack_subscription('shared', $behind)");
  is($other->{stderr} =~ /is not settled/ ? 'refused' : 'acknowledged', $preload ? 'acknowledged' : 'refused',
    "$kind: and whether it may acknowledge that");
  $other->{stderr} = '';
  is($proves->query_safe($safe), $behind, "$kind: nobody goes further");

  # An older snapshot does not show what has been settled since.
  is($repeatable->query_safe($safe), '0', "$kind: REPEATABLE READ does not believe what is newer than its snapshot");
  $repeatable->query_safe('COMMIT');
  is($repeatable->query_safe($safe), $preload ? $behind : 0, "$kind: its next transaction does");
  $writer->query_safe('COMMIT');
  is($_->query_safe($read), 'shared:behind shared:open shared:late', "$kind: all is read in the end")
    for $proves, $other, $repeatable;

  # One's own append is in flight for oneself and for the others.
  my $own = $other->query_safe('BEGIN; ' . append('shared:own') . ';');
  is($_->query_safe($safe), $late, "$kind: an open append is not settled") for $other, $proves;
  $other->query_safe('ROLLBACK');
  is($_->query_safe($safe), $own, "$kind: undone, it is") for $proves, $other;

  # The copy has an append in flight at a position that is settled here.
  my $copy_writer = $node->background_psql('copy');
  my $copy_open = $copy_writer->query_safe('BEGIN; ' . append('shared:copy') . ';');
  $node->safe_psql('copy', $hole) for 1 .. 8;
  cmp_ok($copy_open, '<', $own, "$kind: the copy hands out the same positions");
  cmp_ok($node->safe_psql('copy', $safe), '<', $copy_open, "$kind: and knows nothing of what is settled elsewhere");
  $copy_writer->quit;

  # Created anew, the extension begins with nothing settled, for connections that knew better, too.
  $node->safe_psql('postgres', 'DROP EXTENSION auren; CREATE EXTENSION auren');
  $writer->query_safe('BEGIN; ' . append('shared:first') . ';');
  $node->safe_psql('postgres', $hole) for 1 .. 8;
  is($_->query_safe($safe), '0', "$kind: a new sequence, and nothing is settled") for $proves, $other;
  $writer->query_safe('ROLLBACK');
  is($_->query_safe($safe), '9', "$kind: proved anew") for $proves, $other;

  # Set back below what was settled, the sequence takes all that was known with it, for good.
  $node->safe_psql('postgres', q{SELECT setval('events.event_store_position_seq', 2)});
  is($writer->query_safe('BEGIN; ' . append('shared:again') . ';'), '3', "$kind: set back");
  is($_->query_safe($safe), '0', "$kind: what was settled is not") for $proves, $other;
  $node->safe_psql('postgres', $hole) for 1 .. 8;
  is($_->query_safe($safe), '0', "$kind: nor when the sequence has come as far again") for $proves, $other;
  $writer->query_safe('COMMIT');
  is($_->query_safe($safe), '11', "$kind: until it is proved") for $proves, $other;

  $_->quit for $writer, $proves, $other, $repeatable;
  $node->stop;
}

done_testing();
