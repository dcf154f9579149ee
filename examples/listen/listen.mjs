// Handles every mode switch exactly once, whatever ends in between: node listen.mjs [URL]
//
// The notification is a doorbell: it may be missed, so nothing is read from it. What happened is read with
// neuros.read_switches, from a checkpoint that is committed together with what was done about it.
import pg from 'pg';

const NAME = 'listen.mjs'; // of the checkpoint: one for each thing that listens
const PAGE = 100;
const LOOK = 5000; // ms after which it looks though nothing rings
const [FIRST_PAUSE, LONGEST_PAUSE] = [500, 10000]; // ms before another try: twice as long after each in vain

// A connection that is lost, a server that stops, starts or has no room, a deadlock: they pass. Other errors
// do not.
const PASSES = /^(08|40|53|57)/; // classes of SQLSTATE

// Yours: a migration makes them once.
const SETUP = `
CREATE TABLE IF NOT EXISTS listener_checkpoint (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS handled_switch (position bigint, name text, user_id text, to_mode text);
`;

// Yours to write. What it does over this client is done once; what it does elsewhere, a mail or a call, may be
// done again after a crash: let it carry the position, by which the other side can tell.
async function handle(client, it) {
  await client.query('INSERT INTO handled_switch VALUES ($1, $2, $3, $4)',
    [it.position, NAME, it.user_id, it.to_mode]);
  console.log(`${it.user_id}: ${it.from_mode} -> ${it.to_mode} (${it.reason})`);
}

// Handles one page of what is new. A position is a bigint, which pg gives as text: 2^53 is not enough for it.
async function handlePage(client) {
  await client.query('BEGIN');
  // The row's lock: of two that run under one name only one handles.
  const found = await client.query('SELECT position FROM listener_checkpoint WHERE name = $1 FOR UPDATE', [NAME]);
  let checkpoint = found.rows[0].position;
  const { rows } = await client.query('SELECT * FROM neuros.read_switches($1, $2)', [checkpoint, PAGE]);
  for (const it of rows) {
    await handle(client, it);
    checkpoint = it.position;
  }
  if (rows.length > 0) {
    await client.query('UPDATE listener_checkpoint SET position = $2 WHERE name = $1', [NAME, checkpoint]);
  }
  await client.query('COMMIT');
  return { checkpoint: BigInt(checkpoint), more: rows.length === PAGE };
}

async function listen(url, connected) {
  const client = new pg.Client({ connectionString: url, query_timeout: 30000, keepAlive: true });
  let heard = 0n;
  let lost = null;
  let ring = () => {};
  client.on('error', (error) => { lost = error; ring(); });
  client.on('end', () => { lost ??= new Error('the connection ended'); ring(); });
  client.on('notification', ({ payload }) => {
    const position = BigInt(JSON.parse(payload).position);
    if (position > heard) heard = position;
    ring();
  });
  try {
    await client.connect();
    connected();
    await client.query(SETUP);
    await client.query('INSERT INTO listener_checkpoint VALUES ($1, 0) ON CONFLICT DO NOTHING', [NAME]);
    await client.query('LISTEN mode_switch'); // before the first look: nothing falls in between
    while (lost === null) {
      const rung = new Promise((resolve) => { ring = resolve; });
      const { checkpoint, more } = await handlePage(client);
      if (more) continue;
      // A switch that was heard of may have to wait for one before it that is not committed yet, and whose
      // end rings no bell: look again soon. Else once in a while, whatever rings: one that waited so when this
      // began to listen has rung already.
      let timer;
      const late = new Promise((resolve) => { timer = setTimeout(resolve, checkpoint < heard ? 100 : LOOK); });
      await Promise.race([rung, late]);
      clearTimeout(timer);
    }
    throw lost;
  } finally {
    client.end().catch(() => {});
  }
}

const url = process.argv[2] ?? 'postgresql:///auren';
let pause = FIRST_PAUSE;
for (;;) {
  try {
    await listen(url, () => { pause = FIRST_PAUSE; });
  } catch (error) {
    if (error.severity && !PASSES.test(error.code)) throw error;
    // Not on the dot: else all who lost the server would come back to it at once.
    const wait = pause * (0.5 + Math.random() / 2);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
    console.error(`${error.message}; again in ${(wait / 1000).toFixed(1)} s`);
    await new Promise((resolve) => { setTimeout(resolve, wait); });
  }
}
