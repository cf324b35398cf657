import { afterEach, expect, test } from 'vitest';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { type PeerOptions, Peers, receiptOf } from '../support/peers.ts';
import type { Status } from '../support/rtmp-client.ts';
import { TestServer, until } from '../support/server.ts';

/** Who is let in, and what those who are not are told. */

const ROOMY_IP = 'ip: { max_connections: unlimited, connection_rate: 10000/s }';
const OTHER = { localAddress: '127.0.0.2' };

let server: TestServer;
let peers: Peers;

async function start(config: string): Promise<void> {
  server = await TestServer.start({ config });
  peers = new Peers(server);
}

afterEach(async () => {
  peers.leave();
  await server.stop();
});

function denied(reason: string): Promise<number> {
  return server.metric('headgate_denied_total', `{reason="${reason}"}`);
}

/** Everybody has left, and the server knows. */
function emptied(): Promise<unknown> {
  peers.leave();
  return until(async () => (await server.totals()).connections === 0, 'all connections to go');
}

// -- before a byte is read ---------------------------------------------------------------------------

interface DoorCase {
  readonly reason: string;
  readonly limits: string;
  readonly key: string;
  readonly receipt: Record<string, unknown>;
  /** how many come in before one is refused */
  readonly room: number;
  /** whether another address is refused too */
  readonly everybody: boolean;
}

const DOORS: readonly DoorCase[] = [
  {
    reason: 'global_connections',
    limits: `{ global: { max_connections: 2 }, ${ROOMY_IP} }`,
    key: 'global',
    receipt: { scope: 'global', limit: 2, observed: 2, window: null, retry_after_ms: 1000 },
    room: 2,
    everybody: true,
  },
  {
    reason: 'global_connection_rate',
    limits: `{ global: { connection_rate: 3/h }, ${ROOMY_IP} }`,
    key: 'global',
    receipt: { scope: 'global', limit: 3, observed: 4, window: 3_600_000 },
    room: 3,
    everybody: true,
  },
  {
    reason: 'ip_connections',
    limits: '{ ip: { max_connections: 2, connection_rate: 10000/s } }',
    key: '127.0.0.1',
    receipt: { scope: 'ip', limit: 2, observed: 2, window: null, retry_after_ms: 1000 },
    room: 2,
    everybody: false,
  },
  {
    reason: 'ip_connection_rate',
    limits: '{ ip: { max_connections: unlimited, connection_rate: 3/h } }',
    key: '127.0.0.1',
    receipt: { scope: 'ip', limit: 3, observed: 4, window: 3_600_000 },
    room: 3,
    everybody: false,
  },
];

test.each(DOORS)('$reason closes a newcomer before a byte is read, and says why', async (door) => {
  await start(`limits: ${door.limits}`);
  for (let i = 0; i < door.room; i++) await peers.open();
  await peers.shutOut();
  const receipt = await server.receipt(door.reason);
  expect(receipt).toMatchObject({
    action: 'refuse',
    ip: '127.0.0.1',
    protocol: 'rtmp',
    path: null,
    client: null,
  });
  expect(receipt).toMatchObject({ key: door.key, ...door.receipt });
  expect((await server.receipts('?key=127.0.0.1')).map(({ id }) => id)).toContain(receipt.id);
  expect((await server.receipts(`?key=${door.key}`)).map(({ id }) => id)).toContain(receipt.id);
  expect(await denied(door.reason)).toBe(1);
  expect(server.log.find((line) => line['receipt'] === receipt.id)).toMatchObject({ reason: door.reason });
  await (door.everybody ? peers.shutOut(OTHER) : peers.open(OTHER));
  expect((await server.totals()).connections).toBe(door.room + (door.everybody ? 0 : 1));
});

test('room under a connection cap comes back when somebody leaves', async () => {
  await start(`limits: { global: { max_connections: 2 }, ${ROOMY_IP} }`);
  const first = await peers.open();
  await peers.open();
  await peers.shutOut();
  first.vanish();
  await until(async () => (await server.totals()).connections === 1, 'the first to be gone');
  await peers.open();
});

test('a refused connection consumes nothing of the connection rates', async () => {
  await start(
    'limits: { global: { connection_rate: 3/h }, ip: { max_connections: 1, connection_rate: 3/h } }',
  );
  for (const turn of [1, 2]) {
    await peers.open();
    for (let i = 0; i < 3; i++) await peers.shutOut();
    expect(await denied('ip_connections'), `turn ${turn}`).toBe(3 * turn);
    await emptied();
  }
  await peers.open();
  await emptied();
  // Three were let in and six refused: the rates of three are used up just now.
  await peers.shutOut();
  expect(await denied('global_connection_rate')).toBe(1);
});

// -- at publish --------------------------------------------------------------------------------------

interface PublishCase {
  readonly reason: string;
  readonly limits: string;
  readonly room: number;
  readonly line: RegExp;
  readonly receipt: Record<string, unknown>;
}

const PUBLISHES: readonly PublishCase[] = [
  {
    reason: 'client_streams',
    limits: '{ client: { max_streams: 2 } }',
    room: 2,
    line: /^headgate: client_streams limit=2 observed=2 retry_after=1s receipt=r-[0-9a-z]+$/,
    receipt: { scope: 'client', key: '127.0.0.1', limit: 2, observed: 2, window: null },
  },
  {
    reason: 'client_publish_rate',
    limits: '{ client: { publish_rate: 2/min } }',
    room: 2,
    line: /^headgate: client_publish_rate limit=2\/min observed=3\/min retry_after=(29|30)s receipt=r-[0-9a-z]+$/,
    receipt: { scope: 'client', key: '127.0.0.1', limit: 2, observed: 3, window: 60_000 },
  },
  {
    reason: 'global_streams',
    limits: '{ global: { max_streams: 2 } }',
    room: 2,
    line: /^headgate: global_streams limit=2 observed=2 retry_after=1s receipt=r-[0-9a-z]+$/,
    receipt: { scope: 'global', key: 'global', limit: 2, observed: 2, window: null },
  },
];

test.each(PUBLISHES)('$reason rejects a publish before any Publish.Start', async (limit) => {
  await start(`limits: ${limit.limits}`);
  for (let i = 0; i < limit.room; i++) await peers.publisher(`cam${i}`);
  const told = await peers.refused('late');
  expect(told).toMatchObject({ level: 'error', code: 'NetStream.Publish.Rejected' });
  expect(told.description).toMatch(limit.line);
  const receipt = await receiptOf(server, told);
  expect(receipt).toMatchObject({
    action: 'refuse',
    reason: limit.reason,
    path: '/live/late',
    client: '127.0.0.1',
  });
  expect(receipt).toMatchObject({ ip: '127.0.0.1', protocol: 'rtmp', ...limit.receipt });
  for (const key of ['/live/late', 'late', '127.0.0.1', receipt.key, receipt.id]) {
    const found = await server.receipts(`?key=${encodeURIComponent(key)}&reason=${limit.reason}`);
    expect(
      found.map(({ id }) => id),
      key,
    ).toContain(receipt.id);
  }
  expect(await denied(limit.reason)).toBe(1);
  expect((await server.streams()).map(({ name }) => name)).toEqual(
    Array.from({ length: limit.room }, (_, i) => `cam${i}`),
  );
});

test('ffmpeg prints the line of its refusal and leaves', async () => {
  await start('limits: { global: { max_streams: 0 } }');
  const ffmpeg = new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/cam`);
  expect(await ffmpeg.exited).not.toBe(0);
  expect(ffmpeg.stderr).toMatch(
    /Server error: headgate: global_streams limit=0 observed=0 retry_after=never receipt=r-/,
  );
});

test('a second publisher of a path is told BadName, and the first goes on', async () => {
  await start('');
  peers.talk(await peers.publisher('cam'));
  for (const options of [{}, OTHER]) {
    const told = await peers.refused('cam', options);
    expect(told).toMatchObject({ level: 'error', code: 'NetStream.Publish.BadName' });
    expect(told.description).toMatch(/^headgate: stream_duplicate retry_after=1s receipt=r-/);
    expect(await receiptOf(server, told)).toMatchObject({
      reason: 'stream_duplicate',
      key: '/live/cam',
      path: '/live/cam',
    });
  }
  expect(await denied('stream_duplicate')).toBe(2);
  const { usage } = await server.stream('/live/cam');
  await server.stream('/live/cam', (now) => now.usage.packets > usage.packets);
});

test('a refused publish consumes nothing of the publish rate, nor of any cap', async () => {
  await start('limits: { client: { max_streams: 1, publish_rate: 3/h }, ip: { connection_rate: 10000/s } }');
  for (const turn of [1, 2, 3]) {
    await peers.publisher('cam');
    for (const name of ['a', 'b', 'cam'])
      expect((await peers.refused(name)).description).toContain('client_streams');
    expect((await server.totals()).streams, `turn ${turn}`).toBe(1);
    await emptied();
  }
  expect((await peers.refused('cam')).description).toMatch(/client_publish_rate .* retry_after=1\d{3}s/);
  expect(await server.get('/api/v1/clients')).toMatchObject({ clients: [] });
});

test('a publish refused for its client still leaves room for others', async () => {
  await start('limits: { client: { max_streams: 1 }, global: { max_streams: 2 } }');
  await peers.publisher('a');
  await peers.refused('b');
  await peers.publisher('c', OTHER);
  expect((await peers.refused('d', { localAddress: '127.0.0.3' })).description).toContain('global_streams');
});

// -- honest retry_after ------------------------------------------------------------------------------

/** How long before the promised instant a retry is made that has to fail, ms. */
const EARLY_MS = 40;

/** What the wall clock of receipts and a loaded machine may add, ms. */
const CLOCK_MS = 3;

interface Attempt {
  readonly passed: boolean;
  /** when it was sent, and when its answer was here: the server decided in between, monotonic ms */
  readonly sent: number;
  readonly answered: number;
  readonly status: Status | null;
}

/** One try of something that is limited by rate or cooldown. */
type Try = () => Promise<Attempt>;

/** Publishes of candidates that are ready before the clock runs. */
async function publishTries(count: number, options: PeerOptions = {}): Promise<Try> {
  const ready = await Promise.all(Array.from({ length: count }, () => peers.candidate(options)));
  let tries = 0;
  return async () => {
    const candidate = ready.pop();
    if (candidate === undefined) throw new Error('out of candidates');
    const sent = performance.now();
    const status = await candidate.publish(`try${tries++}`);
    return { passed: status.code === 'NetStream.Publish.Start', sent, answered: performance.now(), status };
  };
}

/** Connections; one that was let in leaves at once. */
function connectTries(): Try {
  return async () => {
    const sent = performance.now();
    const client = await peers.knock();
    const gone = await Promise.race([
      client.whenClosed.then(() => true),
      sleepUntil(sent + 25).then(() => false),
    ]);
    const answered = performance.now();
    client.vanish();
    return { passed: !gone, sent, answered, status: null };
  };
}

function sleepUntil(at: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));
}

/**
 * A denial promises `retry_after_ms`: a retry a moment earlier is denied and
 * promises the same instant, one at that instant passes.
 */
async function expectHonest(reason: string, attempt: Try): Promise<void> {
  const denial = await attempt();
  expect(denial.passed).toBe(false);
  const promised = (await server.receipt(reason)).retry_after_ms as number;
  const promiseAt = Date.parse((await server.receipt(reason)).at) + promised;
  await sleepUntil(denial.sent + promised - EARLY_MS);
  const early = await attempt();
  expect(early.answered, 'the machine was too slow for this test').toBeLessThan(denial.sent + promised);
  expect(early.passed, 'a retry before the promised instant').toBe(false);
  const again = await server.receipt(reason, ({ last_at }) => Date.parse(last_at) > promiseAt - promised);
  if (again.count === 1)
    expect(Date.parse(again.at) + (again.retry_after_ms as number)).toBeGreaterThan(promiseAt - CLOCK_MS);
  if (again.count === 1)
    expect(Date.parse(again.at) + (again.retry_after_ms as number)).toBeLessThan(promiseAt + CLOCK_MS);
  await sleepUntil(denial.answered + promised + 1);
  expect((await attempt()).passed, 'a retry at the promised instant').toBe(true);
}

test('retry_after of client_publish_rate is the instant at which a retry passes', { retry: 2 }, async () => {
  await start(
    'limits: { client: { max_streams: unlimited, publish_rate: 1/s }, ip: { connection_rate: 10000/s } }',
  );
  const attempt = await publishTries(4);
  expect((await attempt()).passed).toBe(true);
  await expectHonest('client_publish_rate', attempt);
});

test('retry_after of ip_connection_rate is the instant at which a retry passes', { retry: 2 }, async () => {
  await start('limits: { ip: { max_connections: unlimited, connection_rate: 1/s } }');
  const attempt = connectTries();
  expect((await attempt()).passed).toBe(true);
  await expectHonest('ip_connection_rate', attempt);
});

test('retry_after of global_connection_rate is the instant at which a retry passes', {
  retry: 2,
}, async () => {
  await start(`limits: { global: { connection_rate: 1/s }, ${ROOMY_IP} }`);
  const attempt = connectTries();
  expect((await attempt()).passed).toBe(true);
  await expectHonest('global_connection_rate', attempt);
});

test('a cap of 0 of which nothing is used is 0 full in the metrics', async () => {
  await start('limits: { global: { max_streams: 0 } }');
  expect(await server.metric('headgate_limit_utilization', '{scope="global",limit="max_streams"}')).toBe(0);
});
