# pg_dump carries people: readings, modes, configuration, what a DBA changed in the catalogue, the worker's
# tables. The restore notifies nobody, and the next delivery is judged as it would have been before.
use strict;
use warnings FATAL => 'all';

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @tables = qw(biometrics.metric_types biometrics.biometric_events biometrics.daily_values
  neuros.config_versions neuros.user_modes neuros.person_states analytics.user_metrics_daily
  bridge.connections bridge.api_keys bridge.kafka_offsets bridge.dead_letters);

# Everything the tables hold, one line each.
sub contents {
  my ($node, $database) = @_;
  return join "\n", map {
    $_ . ' ' . $node->safe_psql($database, "SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM $_ AS t")
  } @tables;
}

sub take {
  my ($id, $metric, $value, $at) = @_;
  return qq{SELECT status, to_mode, trigger FROM bridge.ingest_batch(ARRAY['{"source": "healthkit", "delivery_id": "$id",
    "user_id": "ada", "received_at": "$at", "readings": [{"metric": "$metric", "value": $value, "start": "$at"}]}']::jsonb[])};
}

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->start;
$old->safe_psql('postgres', 'CREATE EXTENSION auren');
$old->safe_psql('postgres', q{
  INSERT INTO biometrics.metric_types (metric_type, unit) VALUES ('grip_strength', 'kg');
  UPDATE biometrics.metric_types SET soft_max = 190 WHERE metric_type = 'heart_rate';
  SELECT neuros.configure('{"thresholds": {"stress_level_critical": 0.7}}');
  SELECT * FROM bridge.ingest_batch(ARRAY[(SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', 'history',
    'user_id', 'ada', 'received_at', '2025-03-03T12:00:00Z', 'readings', jsonb_agg(jsonb_build_object('metric', 'hrv_sdnn',
    'value', 60 + n % 5, 'start', to_char(timestamp '2025-03-01 06:00' - n * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))))
    FROM generate_series(0, 29) n)]);
  SELECT neuros.switch_mode('neo', 'sentinel');
  SELECT analytics.refresh_user_metrics();
  SELECT bridge.link_user('whoop', '10129', 'ada'), bridge.create_api_key('phone', sha256('key'), 'ada');
  INSERT INTO bridge.kafka_offsets (cluster_id, topic, partition, next_offset) VALUES ('c', 't', 0, 42);
  SELECT bridge.add_dead_letter('t', '\xff', 'malformed', p_partition => 0, p_offset => 41);
});
is($old->safe_psql('postgres', take('d-1', 'stress_level', 0.8, '2025-03-05T08:00:00Z')),
  'applied|reflex|stress_critical', 'ada is in reflex');
my $want = contents($old, 'postgres');

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
$new->start;
my $dump = "$PostgreSQL::Test::Utils::tmp_check/people.sql";
$old->command_ok([ 'pg_dump', "--file=$dump", 'postgres' ], 'pg_dump');
$new->safe_psql('postgres', 'CREATE DATABASE restored');

my ($status, $out, $err) = $new->psql('restored', "LISTEN mode_switch;\n\\i $dump\nSELECT 1;", on_error_stop => 1);
is($status, 0, 'the dump is restored') or diag $err;
unlike($out, qr/notification/, 'a restore notifies nobody');
is(contents($new, 'restored'), $want, 'every row as it was');

# Life goes on: within the cooldown she stays, after it she is judged by her own history.
is($new->safe_psql('restored', take('d-2', 'recovery_score', 10, '2025-03-05T08:01:00Z')), 'applied||',
  'the cooldown is still on');
is($new->safe_psql('restored', take('d-1', 'stress_level', 0.8, '2025-03-05T08:00:00Z')), 'duplicate||',
  'what was delivered is known');
is($new->safe_psql('restored', q{SELECT bridge.add_dead_letter('t', '\xfe', 'malformed', p_partition => 0, p_offset => 43) >
  (SELECT min(id) FROM bridge.dead_letters)}), 't', 'numbers go on');

# And a switch rings, with what the contract says and nothing else.
($status, $out, $err) = $new->psql('restored',
  "LISTEN mode_switch;\n" . take('d-3', 'recovery_score', 10, '2025-03-05T09:00:00+01:00') . ";\n"
    . take('d-4', 'recovery_score', 10, '2025-03-05T09:10:00Z') . ";\nSELECT 1;");
my @payloads = $out =~ /notification "mode_switch" with payload "(.*)" received/g;
is(scalar @payloads, 1, 'one switch rings once') or diag $out;
my $payload = decode_json($payloads[0]);
is($payload->{position}, $new->safe_psql('restored', q{SELECT position FROM neuros.user_modes WHERE user_id = 'ada'}),
  'the position is the event\'s');
delete $payload->{position};
cmp_ok(abs(delete($payload->{confidence}) - 0.815), '<', 0.05, 'so is the confidence');
is_deeply($payload, { user_id => 'ada', from_mode => 'reflex', to_mode => 'guardian', trigger => 'recovery_low',
    timestamp => '2025-03-05T09:10:00.000000Z' }, 'the payload');

done_testing();
