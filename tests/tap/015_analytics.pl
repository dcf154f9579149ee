# kill -9 of the whole server in the middle of a refresh, while deliveries come in: afterwards the live view is
# exact at once, and the table after the next refresh. What was not marked yet was not committed either.
use strict;
use warnings FATAL => 'all';

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
  CREATE EXTENSION auren;
  INSERT INTO biometrics.biometric_events (user_id, device_type, metric_type, recorded_at, value, unit, quality, position)
  SELECT 'u' || n % 20, 'hand', 'heart_rate', timestamptz '2025-02-01Z' + interval '1 hour' * (n / 20), 40 + n % 50, '/min', 1, 1
  FROM generate_series(1, 20000) n});

# Rows of a relation that a GROUP BY over all readings does not have, and the other way round.
sub differences {
  my ($relation) = @_;
  return $node->safe_psql('postgres', qq{
    WITH shown AS (SELECT user_id, metric_type, day, sample_count, min_value, max_value, sum_value, p50_value FROM $relation),
    truth AS (SELECT user_id, metric_type, day, count(*), min(value), max(value), sum(value), percentile_cont(0.5) WITHIN GROUP (ORDER BY value)
      FROM biometrics.biometric_events GROUP BY 1, 2, 3)
    SELECT count(*) FROM ((TABLE shown EXCEPT ALL TABLE truth) UNION ALL (TABLE truth EXCEPT ALL TABLE shown)) d});
}

# Readings that come, take another's place on another day, or go; and refreshes that always have a lot to do.
my $ingest = "$PostgreSQL::Test::Utils::tmp_check/ingest.sql";
append_to_file($ingest, <<'SQL');
\set person random(0, 19)
\set hour random(0, 400)
\set zone random(-11, 11)
\set value random(40, 200)
\set kind random(1, 5)
SELECT status FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', 'healthkit', 'delivery_id', gen_random_uuid(), 'user_id', 'u' || :person,
  'readings', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('metric', 'heart_rate',
    'start', to_char(timestamp '2025-02-01' + interval '1 hour' * (:hour + :zone), 'YYYY-MM-DD"T"HH24:MI:SS') || to_char(:zone, 'SG00') || ':00',
    'value', CASE WHEN :kind > 1 THEN :value END, 'deleted', CASE WHEN :kind = 1 THEN true END))))]);
SQL
my $refresh = "$PostgreSQL::Test::Utils::tmp_check/refresh.sql";
append_to_file($refresh, <<'SQL');
SELECT analytics.rebuild_user_metrics();
SELECT analytics.refresh_user_metrics();
SQL

sub under_load {
  my ($script, $clients) = @_;
  my $log = '';
  return IPC::Run::start([ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', $clients, '-T', 600, '-f', $script, 'postgres' ],
    '>', \$log, '2>', \$log);
}

for my $round (1 .. 3) {
  my $taken = $node->safe_psql('postgres', 'SELECT count(*) FROM events.event_store');
  my @load = (under_load($ingest, 3), under_load($refresh, 2));
  $node->poll_query_until('postgres', qq{
    SELECT (SELECT count(*) FROM events.event_store) > $taken + 200 AND EXISTS (
      SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT analytics.refresh_user_metrics%')})
    or die 'no refresh under load';
  my @pids = ($node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()') =~ /\d+/g, $node->{_pid});
  $node->kill9;
  kill 'KILL', @pids;
  for my $load (@load) { $load->finish }

  # Until the last of them is gone, its memory and its lock file are in use.
  for (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default) {
    last unless kill 0, @pids;
    select undef, undef, undef, 0.01;
  }
  $node->start;
  cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM events.event_store'), '>', $taken, "round $round: deliveries were taken in");
  is(differences('analytics.user_metrics_live'), '0', "round $round: the live view is exact after the crash");
  $node->safe_psql('postgres', 'SELECT analytics.refresh_user_metrics()');
  is(differences('analytics.user_metrics_daily'), '0', "round $round: so is the table after a refresh");
  is($node->safe_psql('postgres', 'SELECT count(*) FROM analytics.touched_groups'), '0', "round $round: nothing is left to do");
}

done_testing();
