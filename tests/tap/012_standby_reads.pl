# A standby reads up to the furthest place that a subscription has come to on the primary, and what follows it
# without a hole; it never skips an event. AUREN_FIRE_SECONDS, AUREN_FIRE_SEED: as in 004_global_order.pl.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use GlobalOrder;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "max_prepared_transactions = 50\nfsync = off\n");
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION auren');
GlobalOrder::prepare($primary);
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# On the primary: an event, a hole, one that is open.
sub seen { return $primary->safe_psql('postgres', q{SELECT position FROM events.append('standby:1', 'seen', '{}')}); }
sub hole { return $primary->safe_psql('postgres', q{BEGIN; SELECT position FROM events.append('standby:2', 'undone', '{}'); ROLLBACK}); }
my $writer = $primary->background_psql('postgres');
sub opened { return $writer->query_safe(q{BEGIN; SELECT position FROM events.append('standby:3', 'open', '{}')}); }

# What connections of the standby, new and old, read once it has all of that.
my $old = $standby->background_psql('postgres');
sub reads {
  my ($expected, $what) = @_;
  $primary->wait_for_catchup($standby);
  my $read = q{SELECT coalesce(string_agg(position::text, ' '), ''), events.safe_position() FROM events.read_all()};
  is($standby->safe_psql('postgres', $read), $expected, $what);
  is($old->query_safe($read), $expected, "$what: in a connection that has looked before, too");
}

seen();
hole();
seen();
hole();
seen();
reads('1|1', 'without a subscription it stops at the first hole');
$primary->safe_psql('postgres', q{SELECT events.create_subscription('s')});
reads('1|1', 'a subscription at the beginning says nothing');
$primary->safe_psql('postgres', q{SELECT events.ack_subscription('s', 3)});
reads('1 3|3', 'a hole below a checkpoint is passed, one above it is not');
is($standby->safe_psql('postgres', q{SELECT string_agg(position::text, ' ') FROM events.read_category('standby')}), '1 3',
  'so it is for a category');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM events.poll_subscription('s')}), '0', 'and for a subscription');

# One snapshot for the whole transaction: it shows as much of the checkpoint as of the events.
my $repeatable = $standby->background_psql('postgres');
$repeatable->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;');
$primary->safe_psql('postgres', q{SELECT events.ack_subscription('s', 5)});
seen();
reads('1 3 5 6|6', 'what follows a checkpoint without a hole is read');
is($repeatable->query_safe('SELECT events.safe_position()'), '3', 'an older snapshot goes no further than it shows');
$repeatable->query_safe('COMMIT');
is($repeatable->query_safe('SELECT events.safe_position()'), '6', 'the next one does');

# What is open on the primary cannot be acknowledged there, so it is not passed here.
opened();
seen();
my ($status, $out, $err) = $primary->psql('postgres', q{SELECT events.ack_subscription('s', 8)});
like($err, qr/position 8 is not settled/, 'the primary refuses a checkpoint behind an open append');
reads('1 3 5 6|6', 'the standby stays before it');
$writer->query_safe('COMMIT');
reads('1 3 5 6 7 8|8', 'and reads on when it has come');

# Where a subscription begins and what it is reset to count like what it has acknowledged.
hole();
seen();
reads('1 3 5 6 7 8|8', 'a new hole');
$primary->safe_psql('postgres', q{SELECT events.create_subscription('late', NULL, events.safe_position())});
reads('1 3 5 6 7 8 10|10', 'a subscription that begins behind it');
hole();
seen();
$primary->safe_psql('postgres', q{SELECT events.reset_subscription('s', 12)});
reads('1 3 5 6 7 8 10 12|12', 'one that is reset behind the next');

# Under fire: a consumer on the primary acknowledges, a reader on the standby follows.
$_->quit for $old, $repeatable, $writer;
my $writers = GlobalOrder::start($primary, $ENV{AUREN_FIRE_SECONDS} || 4, GlobalOrder::seed());
my $consumer = $primary->background_psql('postgres');
$consumer->set_query_timer_restart;
my @readers = (GlobalOrder::reader($standby, 100), GlobalOrder::reader($standby, 1000, 'fire'));
my $acknowledge = q{SELECT events.ack_subscription('s', events.safe_position())};
while (GlobalOrder::writing($writers)) {
  $consumer->query_safe($acknowledge);
  GlobalOrder::follow($_) for @readers;
}
GlobalOrder::finish($writers);
my $early = scalar(@{ $readers[0]{read} });
cmp_ok($early, '>', 100, 'the standby reads while the primary writes');
$consumer->query_safe($acknowledge);
$primary->wait_for_catchup($standby);
for my $reader (@readers) { 1 while GlobalOrder::follow($reader); }
is(GlobalOrder::faults($_, $primary), '', "a reader of category $_->{category} saw every event once, in order") for @readers;

$_->quit for $consumer, map { $_->{session} } @readers;
done_testing();
