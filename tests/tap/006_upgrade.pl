# Every release there was can be installed, filled and brought up to date: it is then what a fresh
# installation is, and nothing in it is lost. The script of a release never changes again.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($default) = slurp_file('extension/auren.control') =~ /^default_version = '(.+)'/m;
my @releases = map { m{auren--(.+)\.sql$} ? $1 : () } glob 'extension/releases/auren--*.sql';
ok(@releases > 0, 'there are releases');

# All that belongs to the extension, with what it says, costs and allows.
my $catalogue = q{
  SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (
    SELECT pg_describe_object(d.classid, d.objid, 0)
           || coalesce(' ' || pg_get_functiondef(p.oid), '') || coalesce(' ' || p.proacl::text, '')
           || coalesce(' ' || c.relacl::text, '')
           || coalesce(' ' || c.reloptions::text, '')
           || CASE c.relkind WHEN 'v' THEN ' ' || pg_get_viewdef(c.oid) ELSE '' END
           || coalesce((SELECT string_agg(' ' || concat_ws(' ', a.attnum, a.attname, a.atttypid::regtype, a.attcollation::regcollation,
                          a.attnotnull, pg_get_expr(f.adbin, f.adrelid), col_description(c.oid, a.attnum)), ',' ORDER BY a.attnum)
                        FROM pg_attribute a LEFT JOIN pg_attrdef f ON (f.adrelid, f.adnum) = (a.attrelid, a.attnum)
                        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '')
           || coalesce((SELECT string_agg(' ' || pg_get_indexdef(i.indexrelid), ',' ORDER BY i.indexrelid::regclass::text)
                        FROM pg_index i WHERE i.indrelid = c.oid), '')
           || coalesce((SELECT string_agg(' ' || o.conname || ' ' || pg_get_constraintdef(o.oid), ',' ORDER BY o.conname)
                        FROM pg_constraint o WHERE o.conrelid = c.oid), '')
           || coalesce((SELECT string_agg(' ' || t.tgenabled::text || ' ' || pg_get_triggerdef(t.oid), ',' ORDER BY t.tgname)
                        FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal), '')
           || coalesce(' ' || obj_description(d.objid, d.classid::regclass::name), '') AS line
    FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'auren'
    LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e') AS objects};
my $contents = q{SELECT md5(string_agg((position, event_id, stream_id, version, event_type, event_data, metadata, created_by,
  created_at)::text, E'\n' ORDER BY position)) FROM events.%s};
my $dumped = q{SELECT array_length(extconfig, 1) FROM pg_extension WHERE extname = 'auren'};

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION auren');
my $fresh = $node->safe_psql('postgres', $catalogue);
like($fresh, qr/function bridge\.ingest_batch/, 'the catalogue is read');

for my $release (@releases) {
  if ($release eq $default) {
    my $installed = $node->config_data('--sharedir') . "/extension/auren--$release.sql";
    is(slurp_file($installed), slurp_file("extension/releases/auren--$release.sql"),
      "$release is as it was released; a change needs a new version and an upgrade script");
  }
  my $database = 'from_' . $release =~ tr/./_/r;
  $node->safe_psql('postgres', "CREATE DATABASE $database");
  $node->safe_psql($database, "CREATE EXTENSION auren VERSION '$release'");
  $node->safe_psql($database, q{
    SELECT count(*) FROM bridge.ingest_batch(ARRAY(SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', 'd-' || n,
      'user_id', 'ada', 'readings', jsonb_build_array(jsonb_build_object('metric', 'stress_level', 'value', n / 20.0,
      'start', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'source', 's' || n)))
      FROM generate_series(1, 20) n));
    SELECT events.append_event('order:1', 'placed', '{}')});
  my $before = $node->safe_psql($database, sprintf($contents, 'event_store'));
  $node->safe_psql($database, 'SELECT analytics.refresh_user_metrics()');
  my $mode = $node->safe_psql($database, q{SELECT neuros.current_mode('ada')});
  is($mode, 'reflex', "$release works");

  $node->safe_psql($database, 'ALTER EXTENSION auren UPDATE');
  is($node->safe_psql($database, q{SELECT extversion FROM pg_extension WHERE extname = 'auren'}), $default, "$release is brought to $default");
  is($node->safe_psql($database, $catalogue), $fresh, "$release: the same as a fresh installation");
  is($node->safe_psql($database, q{SELECT sample_count, p50_value FROM analytics.user_metrics_live;
    SELECT analytics.refresh_user_metrics(); SELECT sample_count, p50_value FROM analytics.user_metrics_daily}), "20|0.525\n1\n20|0.525",
    "$release: days get their percentiles");
  is($node->safe_psql($database, $dumped), $node->safe_psql('postgres', $dumped), "$release: as much of it is dumped");
  is($node->safe_psql($database, sprintf($contents, 'event_store')), $before, "$release: every event is there");
  is($node->safe_psql($database, q{SELECT neuros.current_mode('ada')}), $mode, "$release: so is the mode");
  is($node->safe_psql($database, q{SELECT version, was_duplicate FROM events.append('order:1', 'shipped', '{}')}), '2|f',
    "$release: the store goes on");
  my $all = $node->safe_psql($database, sprintf($contents, 'all_events'));
  is($node->safe_psql($database, q{SELECT events.archive_stream('order:1'), events.archive_stream('user:ada') > 20, events.restore_stream('order:1'),
    (SELECT count(*) FROM events.event_archive WHERE stream_id <> 'user:ada')}), '2|t|2|0', "$release: its streams are archived and restored");
  is($node->safe_psql($database, sprintf($contents, 'all_events')), $all, "$release: without a loss");
  my ($status, $out, $err) = $node->psql($database, q{
    SELECT events.tombstone_stream('order:1'); SELECT events.append_event('order:1', 'shipped', '{}')});
  like($err, qr/stream "order:1" is closed/, "$release: and closed");
  is($node->safe_psql($database, 'SELECT count(*) FROM events.verify() WHERE NOT ok'), '0', "$release: the store is sound");
}

done_testing();
