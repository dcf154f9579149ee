# Whoever takes a delivery in decides alike: two connections in turn, one after a crash, one that begins with
# every delivery. What is not in a person's state row is not lost.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = on\nrestart_after_crash = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION auren');
# A delivery of a person, number n of what everybody is sent: seconds apart, so that most of them leave the
# row as it is, with readings that are late, pending, corrected and taken away.
$node->safe_psql('postgres', q{
  CREATE FUNCTION delivery(p_user text, n integer) RETURNS jsonb LANGUAGE sql AS $$
    WITH moment AS (SELECT timestamptz '2025-03-10T08:00:00Z' + n * interval '7 s' AS at)
    SELECT jsonb_build_object('source', CASE WHEN n % 6 = 0 THEN 'oura' ELSE 'healthkit' END,
      'delivery_id', 'd-' || n, 'user_id', p_user, 'received_at', at, 'readings', jsonb_build_array(
        jsonb_build_object('metric', 'heart_rate', 'value', 62 + n % 9 + CASE n % 50 WHEN 37 THEN 60 ELSE 0 END, 'start', at),
        CASE n % 8
          WHEN 1 THEN jsonb_build_object('metric', 'heart_rate', 'start', at - interval '7 s', 'deleted', true)
          WHEN 2 THEN jsonb_build_object('metric', 'heart_rate', 'value', 80, 'start', at - interval '7 s')
          WHEN 3 THEN jsonb_build_object('metric', 'recovery_score', 'value', 25 + n % 60, 'start', at, 'external_id', 'r')
          WHEN 4 THEN jsonb_build_object('metric', 'recovery_score', 'external_id', 'r', 'deleted', true)
          WHEN 5 THEN jsonb_build_object('metric', 'respiratory_rate', 'value', 12 + n % 12, 'start', at)
          WHEN 6 THEN jsonb_build_object('metric', 'oxygen_saturation', 'value', 84 + n % 13, 'start', at - interval '20 s')
          WHEN 7 THEN jsonb_build_object('metric', 'heart_rate', 'value', 150, 'start', at, 'flags', '["pending"]'::jsonb)
          ELSE jsonb_build_object('metric', 'skin_temperature_deviation', 'value', n % 5 / 2.0, 'start', at) END))
    FROM moment $$});

my $most = 240;
my $take = q{SELECT status, readings_accepted, from_mode, to_mode, trigger, confidence, anomalies
  FROM bridge.ingest_batch(ARRAY[delivery('%s', %d)])};

# The answers to deliveries $from to $to, by connections that take turns.
sub answers {
  my ($user, $from, $to, @connections) = @_;
  return map { $connections[$_ % @connections]->query_safe(sprintf $take, $user, $_) } $from .. $to;
}

# All that was decided, and what the next decision would be told.
sub decided {
  my ($user) = @_;
  return $node->safe_psql('postgres', qq{
    SELECT version, event_type, event_data - '{user_id,hypothesis,mode_switched}'::text[]
    FROM events.replay_stream('user:$user') ORDER BY version})
    . "\n" . $node->safe_psql('postgres', qq{SELECT n::text FROM neuros.newest_readings('$user') n ORDER BY 1})
    . "\n" . $node->safe_psql('postgres', qq{SELECT calm FROM neuros.person_states WHERE user_id = '$user'});
}

my ($a, $b) = map { $node->background_psql('postgres') } 1 .. 2;
my @one = answers('one', 1, $most, $a);
my @two = answers('two', 1, $most, $a, $b);
is_deeply(\@two, \@one, 'two connections in turn answer as one does');
is(decided('two'), decided('one'), 'and have decided the same');
cmp_ok(scalar(grep { /\|reflex\|/ } @one), '>', 3, 'there were decisions');
$_->quit for $a, $b;

my @each = map { $node->safe_psql('postgres', sprintf $take, 'each', $_) } 1 .. $most;
is_deeply(\@each, \@one, 'a connection for every delivery answers the same');
is(decided('each'), decided('one'), 'and has decided the same');

# Killed with one delivery in flight, whose sender sends it again.
my $middle = $most / 2;
my $connection = $node->background_psql('postgres');
my @killed = answers('killed', 1, $middle, $connection);
my $behind = $node->safe_psql('postgres', q{
  SELECT (SELECT max(position) FROM biometrics.biometric_events WHERE user_id = 'killed') > position
  FROM neuros.person_states WHERE user_id = 'killed'});
is($behind, 't', 'the row was behind when the server was killed');
$connection->query_safe('BEGIN');
answers('killed', $middle + 1, $middle + 1, $connection);
$node->kill9;
eval { $connection->quit };
# Not before the last of its processes is gone.
my $deadline = time + 60;
until ($node->start(fail_ok => 1)) {
  die 'the server does not come back' if time > $deadline;
  $node->stop('fast', fail_ok => 1);
}
$connection = $node->background_psql('postgres');
push @killed, answers('killed', $middle + 1, $most, $connection);
is_deeply(\@killed, \@one, 'after a crash all is answered as without it');
is(decided('killed'), decided('one'), 'and decided the same');
$connection->quit;

is($node->safe_psql('postgres', 'SELECT count(*) FROM events.verify() WHERE NOT ok'), '0', 'the store is sound');
done_testing();
