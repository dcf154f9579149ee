# What was committed survives a crash, what was not leaves nothing; a standby reads and says early that
# it cannot append.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "max_prepared_transactions = 5\nfsync = on\n");
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION auren');

# Crash with an event committed, one prepared and one in flight.
$primary->safe_psql('postgres', q{SELECT events.append_event('crash:1', 'committed', '{"n": 1}')});
$primary->safe_psql('postgres', q{
  BEGIN; SELECT events.append_event('crash:2', 'prepared', '{"n": 2}'); PREPARE TRANSACTION 'later'});
my $in_flight = $primary->background_psql('postgres');
$in_flight->query_safe(q{BEGIN; SELECT events.append_event('crash:3', 'in_flight', '{"n": 3}')});
my $last = $primary->safe_psql('postgres', 'SELECT last_value FROM events.event_store_position_seq');
$primary->stop('immediate');
eval { $in_flight->quit };
$primary->start;

is($primary->safe_psql('postgres', q{SELECT event_type, event_data FROM events.replay_stream('crash:1')}),
  'committed|{"n": 1}', 'a committed event is there after a crash');
is($primary->safe_psql('postgres', q{SELECT events.stream_version('crash:3')}), '0',
  'an event in flight is not');
my ($status, $out, $err) = $primary->psql('postgres',
  q{SET lock_timeout = '10ms'; SELECT events.append_event('crash:2', 'blocked', '{}')});
like($err, qr/lock timeout/, 'a prepared append holds its stream across the crash');
$primary->safe_psql('postgres', q{COMMIT PREPARED 'later'});
is($primary->safe_psql('postgres', q{SELECT version FROM events.append('crash:2', 'followed', '{}', p_expected_version => 1)}),
  '2', 'and counts once it is committed');
is($primary->safe_psql('postgres', qq{SELECT position > $last FROM events.append('crash:1', 'followed', '{}')}),
  't', 'no position is handed out twice');

# A standby.
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->safe_psql('postgres', q{SELECT events.append_event('standby:1', 'seen', '{"n": 1}')});
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q{SELECT events.get_stream_state('standby:1')->'state'}), '{"n": 1}',
  'a standby reads');
for my $call (q{events.append_event('standby:1', 'a', '{}')},
  q{events.append_events('standby:1', '[{"event_type": "a", "event_data": {}}]')},
  q{events.append_batch(ARRAY['standby:1'], ARRAY['a'], ARRAY['{}']::jsonb[])}) {
  ($status, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY verbose\nSELECT $call");
  like($err, qr/ERROR:  25006: cannot execute events\.append\(\)/, "a standby refuses $call");
}

# The crash has left holes. A standby cannot tell whether they will still be filled and, with no
# subscription that is past them, stays before them; once promoted it can.
my $all = q{SELECT string_agg(position::text, ' ' ORDER BY position) FROM events.event_store};
my $read = q{SELECT string_agg(position::text, ' ') FROM events.read_all()};
my $before = $standby->safe_psql('postgres', $read);
like($standby->safe_psql('postgres', $all), qr/^\Q$before\E \d/, 'a standby reads up to the first hole');
is($primary->safe_psql('postgres', $read), $primary->safe_psql('postgres', $all), 'the primary reads on');
$standby->promote;
is($standby->safe_psql('postgres', $read), $standby->safe_psql('postgres', $all), 'and so does a promoted standby');
is($standby->safe_psql('postgres', q{SELECT version FROM events.append('standby:1', 'seen', '{}')}), '2',
  'which appends, too');

done_testing();
