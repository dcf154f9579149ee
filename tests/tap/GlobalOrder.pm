# The checker of the global order: writers that commit late, abort, use savepoints, prepare, and INSERT as the
# owner, and readers that follow them. Every committed event must reach every reader once, in position order.
#
#   GlobalOrder::prepare($node);                  # once: what writers and readers call
#   my $writers = GlobalOrder::start($node, $seconds, GlobalOrder::seed());
#   my $reader = GlobalOrder::reader($node, 60);  # by 60 events at a time; a category's: (..., 'fire')
#   GlobalOrder::follow($reader) while GlobalOrder::writing($writers);
#   GlobalOrder::finish($writers);                # dies unless they all wrote to the end
#   1 while GlobalOrder::follow($reader);
#   is(GlobalOrder::faults($reader, $node), '', '...');
package GlobalOrder;

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

my $script = q{
\set what random(1, 10)
\set stream random(1, 40)
\set pause random(1, 3000)
BEGIN;
\if :what = 1
SELECT fire_one(:stream, 'undone');
ROLLBACK;
\elif :what = 2
SELECT fire_one(:stream, 'kept');
SAVEPOINT s;
SELECT fire_one(:stream, 'undone');
ROLLBACK TO s;
SELECT fire_one(:stream, 'kept');
COMMIT;
\elif :what = 3
SAVEPOINT s;
SELECT fire_one(:stream, 'undone');
ROLLBACK TO s;
\sleep :pause us
COMMIT;
\elif :what = 4
SELECT fire_one(:stream, 'slow');
\sleep :pause us
COMMIT;
\elif :what = 5
SELECT fire_raw('raw', 'raw');
\sleep :pause us
COMMIT;
\elif :what = 6
SELECT fire_one(:stream, 'prepared');
PREPARE TRANSACTION 'fire_:client_id';
\sleep :pause us
COMMIT PREPARED 'fire_:client_id';
\else
SELECT fire_two(:stream);
COMMIT;
\endif
};

sub prepare {
  my $node = shift;
  $node->safe_psql('postgres', q{
    CREATE FUNCTION fire_raw(category text, type text) RETURNS void LANGUAGE sql AS $$
      INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at)
      VALUES (gen_random_uuid(), category || ':' || gen_random_uuid(), 1, type, '{}', 'owner', now()) $$;
    CREATE FUNCTION fire_one(stream int, type text) RETURNS void LANGUAGE sql AS $$
      SELECT events.append_event('fire:' || stream, type, '{}') $$;
    CREATE FUNCTION fire_two(stream int) RETURNS void LANGUAGE sql AS $$
      SELECT events.append_batch(ARRAY['fire:' || stream, 'fire:' || stream + 1], ARRAY['a', 'b'],
        ARRAY['{}', '{}']::jsonb[]) $$;
    CREATE FUNCTION read_positions(after bigint, at_most int, category text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN
        RETURN string_agg(position::text, ' ' ORDER BY nth) FROM (
          SELECT position, row_number() OVER () AS nth FROM events.read_all(after, at_most) WHERE category IS NULL
          UNION ALL
          SELECT position, row_number() OVER () FROM events.read_category(category, after, at_most)
        ) AS e;
      END $$});
}

# From now on every event comes by INSERT, its position by the column's default.
sub insert_only {
  my $node = shift;
  $node->safe_psql('postgres', q{
    CREATE OR REPLACE FUNCTION fire_one(stream int, type text) RETURNS void LANGUAGE sql AS
      $$ SELECT fire_raw('fire', type) $$;
    CREATE OR REPLACE FUNCTION fire_two(stream int) RETURNS void LANGUAGE sql AS
      $$ SELECT fire_raw('fire', 'a'), fire_raw('fire', 'b') $$});
}

# The run's seed: AUREN_FIRE_SEED, else a new one; printed, so that the run can be repeated.
sub seed {
  my $seed = $ENV{AUREN_FIRE_SEED} || int(rand(1 << 31));
  diag("AUREN_FIRE_SEED=$seed");
  return $seed;
}

sub start {
  my ($node, $seconds, $seed) = @_;
  my $file = "$PostgreSQL::Test::Utils::tmp_check/writer.sql";
  open(my $out, '>', $file) or die "cannot write $file: $!";
  print $out $script;
  close($out);
  my $said = '';
  my $run = IPC::Run::start(
    [ 'pgbench', '-n', '-c', '8', '-j', '2', '-T', $seconds, "--random-seed=$seed", '--max-tries=100',
      '-f', $file, '-h', $node->host, '-p', $node->port, 'postgres' ],
    '>', '/dev/null', '2>', \$said);
  return { run => $run, said => \$said };
}

sub writing {
  my $writers = shift;
  return 0 unless $writers->{run}->pumpable;
  $writers->{run}->pump_nb;
  return 1;
}

sub finish {
  my $writers = shift;
  $writers->{run}->finish or die "the writers failed: ${ $writers->{said} }";
}

sub reader {
  my ($node, $limit, $category) = @_;
  my $session = $node->background_psql('postgres');
  $session->set_query_timer_restart;  # it may live for longer than one query may take
  return { session => $session, after => 0, read => [], limit => $limit,
    category => defined $category ? "'$category'" : 'NULL' };
}

# Reads on; false when there is nothing new yet.
sub follow {
  my $reader = shift;
  my $page = $reader->{session}->query_safe(
    "SELECT read_positions($reader->{after}, $reader->{limit}, $reader->{category})");
  return 0 if $page eq '';
  push @{ $reader->{read} }, split(/ /, $page);
  $reader->{after} = $reader->{read}[-1];
  return 1;
}

# What is wrong with what the reader has read, '' when nothing is: read against what was written on $node.
sub faults {
  my ($reader, $node) = @_;
  my @written = split(/ /, $node->safe_psql('postgres', qq{
    SELECT string_agg(position::text, ' ' ORDER BY position) FROM events.event_store
    WHERE split_part(stream_id, ':', 1) = coalesce($reader->{category}, split_part(stream_id, ':', 1))}));
  my %times;
  $times{$_}++ for @{ $reader->{read} };
  my @lost = grep { !$times{$_} } @written;
  my @again = grep { $times{$_} > 1 } keys %times;
  my $order = join(' ', @{ $reader->{read} }) eq join(' ', sort { $a <=> $b } @{ $reader->{read} });
  return join('; ', (@lost ? "lost: @lost" : ()), (@again ? "repeated: @again" : ()), ($order ? () : 'out of order'));
}

1;
