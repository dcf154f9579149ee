# events.wait_for_events, with the library preloaded and without: a commit wakes it, nothing it does not
# wait for does; it holds no snapshot; cancel, termination and shutdown end it.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A connection that waits behind a position; answers what it got once it has been asked to end.
sub waiter {
  my ($node, $after, $timeout) = @_;
  my $psql = $node->background_psql('postgres', on_error_stop => 0);
  my $pid = $psql->query_safe('SELECT pg_backend_pid()');
  $psql->query_until(qr/begun/, "\\echo begun\nCALL events.wait_for_events($after, '$timeout');\n\\echo done\n");
  $node->poll_query_until('postgres',
    "SELECT state = 'active' AND wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $pid")
    or die 'it does not wait';
  return ($psql, $pid);
}

# A connection that waits for the other's event and appends one of its own, and so on. It takes two to go on.
sub player {
  my ($node, $after, $rounds, $first) = @_;
  my $append = q{SELECT position INTO seen FROM events.append('ping:' || pg_backend_pid(), 'seen', '{}'); COMMIT;};
  my $psql = $node->background_psql('postgres');
  $psql->query_until(qr/begun/, qq{\\echo begun
    DO \$\$ DECLARE seen bigint := $after; other bigint;
    BEGIN
      @{[ $first ? $append : '' ]}
      FOR round IN 1 .. $rounds LOOP
        CALL events.wait_for_events(seen, '1 hour', other);
        $append
      END LOOP;
    END \$\$;
    \\echo done\n});
  return $psql;
}

for my $preload ('', 'auren') {
  my $kind = $preload ? 'preloaded' : 'not preloaded';
  my $node = PostgreSQL::Test::Cluster->new($preload ? 'preloaded' : 'plain');
  $node->init;
  $node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\nmax_prepared_transactions = 2\n");
  $node->start;
  $node->safe_psql('postgres', 'CREATE EXTENSION auren');
  my $append = q{SELECT position FROM events.append('wait:1', 'seen', '{}')};
  my $start = $node->safe_psql('postgres', $append);

  # Several wait; one commit wakes them all, with the same answer.
  my @waiters = map { [ waiter($node, $start, '1 hour') ] } 1 .. 3;
  is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity
      WHERE wait_event_type = 'Extension' AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)}),
    '0', "$kind: who waits holds no snapshot");
  is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE a.wait_event_type = 'Extension' AND l.locktype <> 'virtualxid'}),
    '0', "$kind: and no lock");
  my $next = $node->safe_psql('postgres', $append);
  for my $waiter (@waiters) {
    $waiter->[0]->query_until(qr/^$next\s+done/m, '');
    pass("$kind: a commit wakes");
    $waiter->[0]->quit;
  }

  # In flight is not there yet; a prepared transaction wakes, too, in time.
  my $writer = $node->background_psql('postgres');
  my $slow = $writer->query_safe("BEGIN; $append");
  my $quick = $node->safe_psql('postgres', q{SELECT position FROM events.append('wait:2', 'seen', '{}')});
  my ($psql, $pid) = waiter($node, $next, '1 hour');
  my ($status, $out, $err) = $node->psql('postgres', "CALL events.wait_for_events($next, '50 milliseconds')");
  is($out, $next, "$kind: what is in flight does not wake");
  $writer->query_safe(q{PREPARE TRANSACTION 'later'});
  $writer->quit;
  is($node->safe_psql('postgres', 'SELECT pid IS NULL, query FROM events.in_flight'),
    q{t|PREPARE TRANSACTION 'later'}, "$kind: and is named");
  is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND state = 'active'"),
    '1', "$kind: it waits on");
  $node->safe_psql('postgres', q{COMMIT PREPARED 'later'});
  $psql->query_until(qr/^$quick\s+done/m, '');
  pass("$kind: COMMIT PREPARED is seen");
  $psql->quit;

  # A rolled back append settles what came behind it.
  $writer = $node->background_psql('postgres');
  $writer->query_safe("BEGIN; $append");
  my $behind = $node->safe_psql('postgres', q{SELECT position FROM events.append('wait:2', 'seen', '{}')});
  ($psql, $pid) = waiter($node, $quick, '1 hour');
  $writer->query_safe('ROLLBACK');
  $writer->quit;
  $psql->query_until(qr/^$behind\s+done/m, '');
  pass("$kind: a rollback that settles something is seen");
  $psql->quit;

  # It is the commit that wakes: so many rounds, looking again every second, would take three times as long
  # as a test is given.
  if ($preload) {
    my $rounds = 3 * $PostgreSQL::Test::Utils::timeout_default;
    my @players = map { player($node, $behind, $rounds, $_) } 0, 1;
    $_->query_until(qr/done/, '') for @players;
    pass("$kind: two that answer each other are woken each time");
    $_->quit for @players;
    $behind = $node->safe_psql('postgres', 'SELECT events.safe_position()');
  }

  # Cancelled, the connection goes on; terminated and shut down, it ends.
  ($psql, $pid) = waiter($node, $behind, '1 hour');
  $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
  $psql->query_until(qr/done/, '');
  like($psql->{stderr}, qr/canceling statement due to user request/, "$kind: a wait can be cancelled");
  is($psql->query('SELECT 1'), '1', "$kind: and leaves the connection as it was");
  $psql->quit;
  ($status, $out, $err) = $node->psql('postgres',
    "SELECT 1 \\; CALL events.wait_for_events($behind, '1 hour')");
  like($err, qr/25001|autocommit/, "$kind: several statements at once are a transaction block");
  ($psql, $pid) = waiter($node, $behind, '1 hour');
  $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
  ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"),
    "$kind: a wait can be terminated");
  eval { $psql->quit };
  my $last = $node->safe_psql('postgres', $append);
  ok($last > $behind, "$kind: those who append go on");
  ($psql, $pid) = waiter($node, $last, '1 hour');
  $node->stop('fast');
  pass("$kind: a shutdown ends it");
  eval { $psql->quit };
}

done_testing();
