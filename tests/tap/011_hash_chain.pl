# Who edits the files of a stopped server, below every trigger, is found out by the hash chain: here without
# page checksums, which anybody could work out anew.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->append_conf('postgresql.conf', "auren.hash_chain = on\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION auren');
is($node->safe_psql('postgres', 'SHOW data_checksums'), 'off', 'checksums are off');
$node->safe_psql('postgres', q{
  SELECT events.append_event('account:' || s, 'paid', jsonb_build_object('to', 'ada', 'sum', format('sum-%s-%s-100', s, n)))
  FROM generate_series(1, 3) AS s, generate_series(1, 5) AS n;
  SELECT events.archive_stream('account:2')});
my $verify = q{SELECT string_agg(concat_ws(' ', s, ok, broken_version), ', ' ORDER BY s)
  FROM generate_series(1, 3) AS s, events.verify_stream('account:' || s)};
is($node->safe_psql('postgres', $verify), '1 t, 2 t, 3 t', 'all chains hold');
my $head = $node->safe_psql('postgres', q{SELECT head_hash FROM events.verify_stream('account:1')});
$node->command_ok([ 'pg_dump', '--format=custom', '--file=' . $node->backup_dir . '/dump', 'postgres' ], 'dumped');

# Changes bytes in the file of a table while the server is down.
sub edit {
  my ($table, $from, $to) = @_;
  my $file = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('events.$table')");
  $node->stop;
  my $bytes = slurp_file($file);
  is(($bytes =~ s/\Q$from\E/$to/g), 1, "$from is in the file of $table, once");
  open my $handle, '+<:raw', $file or die "$file: $!";
  print $handle $bytes;
  close $handle or die "$file: $!";
  $node->start;
}

edit('event_store', 'sum-1-3-100', 'sum-1-3-900');
is($node->safe_psql('postgres', q{SELECT event_data->>'sum' FROM events.replay_stream('account:1', 3, 3)}), 'sum-1-3-900',
  'the change is believed');
is($node->safe_psql('postgres', $verify), '1 f 3, 2 t, 3 t', 'and found, at its version');
edit('event_archive', 'sum-2-5-100', 'sum-2-5-900');
is($node->safe_psql('postgres', $verify), '1 f 3, 2 f 5, 3 t', 'in the archive, too');
is($node->safe_psql('postgres', q{SELECT string_agg(check_name || ': ' || detail, ' ') FROM events.verify() WHERE NOT ok}),
  'hash_chains: 2 broken, such as stream "account:1" version 3 has another hash than its content', 'verify says so');
edit('event_store', 'sum-1-3-900', 'sum-1-3-100');
is($node->safe_psql('postgres', qq{SELECT ok FROM events.verify_stream('account:1', '$head')}), 't', 'put back, all is well');

# The hash is over UTF-8, whatever the database's encoding.
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('latin', q{CREATE EXTENSION auren;
  SELECT events.append_event(U&'account:gr\00F6\00DFe', 'paid', U&'{"an": "Zo\00EB"}', U&'\00C5sa', p_metadata => U&'{"\00E9": 1}')});
$node->command_ok([ 'pg_dump', '--format=custom', '--file=' . $node->backup_dir . '/latin', 'latin' ], 'dumped from LATIN1');
$node->safe_psql('postgres', q{CREATE DATABASE utf ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0});
$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname=utf', $node->backup_dir . '/latin' ], 'restored into UTF-8');
my $accent = q{SELECT ok, head_hash, detail FROM events.verify_stream(U&'account:gr\00F6\00DFe')};
like($node->safe_psql('utf', $accent), qr/^t\|\\x[0-9a-f]{64}\|1 events/, 'the chain holds there');
is($node->safe_psql('utf', $accent), $node->safe_psql('latin', $accent), 'with the same head');

# A dump from before is whole, in another store, where the setting is off: the chain goes on.
$node->append_conf('postgresql.conf', "auren.hash_chain = off\n");
$node->restart;
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname=restored', $node->backup_dir . '/dump' ], 'restored');
is($node->safe_psql('restored', $verify), '1 t, 2 t, 3 t', 'all chains hold');
is($node->safe_psql('restored', q{
  SELECT events.append_event('account:1', 'paid', '{}') IS NOT NULL, events.append_event('account:2', 'paid', '{}') IS NOT NULL}), 't|t', 'and go on');
is($node->safe_psql('restored', qq{SELECT ok, version - chained_from, head_hash <> '$head' FROM events.verify_stream('account:1', '$head')}),
  't|5|t', 'behind the hash that was kept');
is($node->safe_psql('restored', $verify), '1 t, 2 t, 3 t', 'on either side of the archive');

done_testing();
