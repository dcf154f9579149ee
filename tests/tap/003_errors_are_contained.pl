# An error anywhere costs a statement, never the connection, and never the server; and it leaves no
# memory behind.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION auren');
my $postmaster = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

# Every function that appends, with every kind of argument that it must refuse, and some it may not.
$node->safe_psql('postgres', q{
  CREATE FUNCTION storm(rounds int) RETURNS TABLE (sqlstates text) LANGUAGE plpgsql AS $$
  DECLARE
    calls text[] := ARRAY[
      $c$ SELECT events.append_event(NULL, NULL, NULL) $c$,
      $c$ SELECT events.append_event('bad', 'a', '{}') $c$,
      $c$ SELECT events.append_event(repeat('ü', 100000), 'a', '{}') $c$,
      $c$ SELECT events.append_event('storm:1', repeat('x', 1000), '{}') $c$,
      $c$ SELECT events.append_event('storm:1', 'a', '[]') $c$,
      $c$ SELECT events.append_event('storm:1', 'a', '{}', p_metadata => '3') $c$,
      $c$ SELECT events.append_event('storm:1', 'a', '{}', p_expected_version => 1000000) $c$,
      $c$ SELECT events.append_event('storm:1', 'a', '{}', p_expected_version => -9223372036854775807) $c$,
      $c$ SELECT events.append_event('storm:1', 'a', '{"other": 1}', p_event_id => '60000000-0000-0000-0000-000000000001') $c$,
      $c$ SELECT * FROM events.append('storm:1', 'a', jsonb_build_object('x', repeat('y', 17000000))) $c$,
      $c$ SELECT events.append_events('storm:1', '[1, 2, 3]') $c$,
      $c$ SELECT events.append_events('storm:1', jsonb_build_array(repeat('[', 10000))) $c$,
      $c$ SELECT events.append_batch(ARRAY['storm:1', 'storm:2'], ARRAY['a', 'B'], ARRAY['{}', '{}']::jsonb[]) $c$,
      $c$ SELECT events.append_batch(ARRAY['storm:1'], ARRAY['a'], ARRAY[]::jsonb[]) $c$,
      $c$ SELECT events.append_event('storm:1', 'a', '{}') / 0 FROM (SELECT 1) AS one $c$,
      $c$ SELECT 1 / (events.stream_version('storm:none')) $c$,
      $c$ SELECT events.get_stream_state('storm:1', p_as_of => 'infinity')::int $c$,
      $c$ SELECT events.refuse_change() $c$,
      $c$ UPDATE events.event_store SET version = 1 $c$];
    call text;
    seen text[] := '{}';
  BEGIN
    FOR round IN 1 .. rounds LOOP
      FOREACH call IN ARRAY calls LOOP
        BEGIN
          EXECUTE call;
          seen := seen || ('no error: ' || call);
        EXCEPTION WHEN OTHERS THEN
          seen := seen || sqlstate::text;
        END;
      END LOOP;
    END LOOP;
    RETURN QUERY SELECT string_agg(DISTINCT s, ' ' ORDER BY s) FROM unnest(seen) AS s;
  END $$;
  SELECT events.append_event('storm:1', 'a', '{"first": 1}', p_event_id => '60000000-0000-0000-0000-000000000001');
});

my $used = 'SELECT sum(used_bytes) FROM pg_backend_memory_contexts';
my $session = $node->background_psql('postgres');
my $pid = $session->query_safe('SELECT pg_backend_pid()');
like($session->query_safe('SELECT storm(20)'), qr/^22004 22012 22023 .*UA001 UA002 UA003$/, 'every bad call is refused');
my $before = $session->query_safe($used);
$session->query_safe('SELECT storm(200)');
my $after = $session->query_safe($used);
cmp_ok($after - $before, '<', 256 * 1024, 'thousands of errors leave no memory behind');
is($session->query_safe('SELECT pg_backend_pid()'), $pid, 'the connection lived through it');
is($session->query_safe(q{SELECT version FROM events.append('storm:1', 'a', '{}', p_expected_version => 1)}), '2',
  'and no refused call left an event');
$session->quit;

# The extension goes and comes back within one connection: nothing remembers what is gone.
my $again = $node->background_psql('postgres');
$again->query_safe(q{SELECT events.append_event('again:1', 'a', '{}')});
$again->query_safe('DROP EXTENSION auren');
$again->query_safe('CREATE EXTENSION auren');
is($again->query_safe(q{SELECT version, position FROM events.append('again:1', 'a', '{}')}), '1|1',
  'DROP and CREATE EXTENSION in one connection');
$again->quit;

# A cancelled wait for a stream.
my $holder = $node->background_psql('postgres');
$holder->query_safe(q{BEGIN; SELECT events.append_event('storm:held', 'a', '{}')});
my ($status, $out, $err) = $node->psql('postgres',
  q{SET statement_timeout = '50ms'; SELECT events.append_event('storm:held', 'a', '{}')});
like($err, qr/statement timeout/, 'waiting for a stream can be cancelled');
# A backend that dies in the middle of an append lets its stream go.
my $holder_pid = $holder->query_safe('SELECT pg_backend_pid()');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($holder_pid, 10000)");
eval { $holder->quit };
is($node->safe_psql('postgres', q{SELECT version FROM events.append('storm:held', 'a', '{}')}), '1',
  'the stream of a terminated backend is free, and empty');

is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $postmaster, 'the server never restarted');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|server process \(PID/, 'no process crashed');

done_testing();
