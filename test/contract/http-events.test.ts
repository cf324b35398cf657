import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { EventFeed } from '../../src/http/event-feed.ts';
import { receipt } from '../../src/http/schemas/audit.ts';
import { node } from '../../src/http/schemas/server.ts';
import { snapshot } from '../../src/http/schemas/stream.ts';
import type { Decision } from '../../src/telemetry/audit.ts';
import { type ApiOptions, type RunningApi, startApi, streamSnapshot } from './http-fixture.ts';

let api: RunningApi;

async function start(options: ApiOptions = {}): Promise<void> {
  api = await startApi(options);
}

afterEach(() => api.server.close());

const REFUSAL: Decision = {
  reason: 'client_streams',
  scope: 'client',
  key: 'alice',
  limit: 3,
  observed: 4,
  windowMs: null,
  retryAfterMs: 0,
  action: 'refuse',
  ip: '192.0.2.10',
  protocol: 'rtmp',
  path: '/live/a\nevent: forged\n\n',
  client: 'alice',
  stream: null,
  detail: 'three streams already',
};

interface ReadEvent {
  readonly name: string;
  readonly body: string;
}

/** One subscriber that reads, or does not. */
class Subscriber {
  readonly socket: Socket;
  text = '';

  constructor(query = '', token = '') {
    this.socket = connect(api.port, '127.0.0.1').on('error', () => undefined);
    this.socket.setEncoding('utf8').on('data', (part: string) => {
      this.text += part;
    });
    const authorization = token === '' ? '' : `Authorization: Bearer ${token}\r\n`;
    this.socket.write(`GET /api/v1/events${query} HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\n`);
  }

  /** Events so far; the chunk sizes of HTTP stand on lines of their own and are no fields. */
  get events(): ReadEvent[] {
    return [...this.text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, body]) => ({
      name: name!,
      body: body!,
    }));
  }

  named(name: string): unknown[] {
    return this.events.filter((event) => event.name === name).map(({ body }) => JSON.parse(body));
  }

  async opened(): Promise<this> {
    await expect.poll(() => this.text, { timeout: 3_000 }).toContain('retry: 3000');
    return this;
  }
}

const soon = { timeout: 4_000, interval: 10 };

test('snapshots come at once and at the interval, with streams and totals', async () => {
  await start();
  const subscriber = await new Subscriber('?interval=250ms').opened();
  await expect.poll(() => subscriber.named('snapshot').length, soon).toBeGreaterThanOrEqual(3);
  expect(snapshot.strict().parse(subscriber.named('snapshot')[0]).streams).toHaveLength(2);
  expect(subscriber.text).toMatch(/content-type: text\/event-stream/i);
  expect(subscriber.text).toMatch(/x-content-type-options: nosniff/i);
  subscriber.socket.destroy();
});

test('the node as a whole comes with each snapshot', async () => {
  await start();
  const subscriber = await new Subscriber('?interval=250ms').opened();
  await expect.poll(() => subscriber.named('snapshot').length, soon).toBeGreaterThanOrEqual(2);
  expect(subscriber.named('node').length).toBeGreaterThanOrEqual(2);
  const told = node.parse(subscriber.named('node')[0]);
  expect(told).toMatchObject({ denied: { global_streams: 3 }, totals: { streams: 2 } });
  subscriber.socket.destroy();
});

test('viewers who come at different times are served in one round, from one text', async () => {
  await start();
  let built = 0;
  api.fake.onBatch = () => {
    built++;
  };
  const first = await new Subscriber('?interval=250ms').opened();
  await expect.poll(() => first.named('snapshot').length, soon).toBeGreaterThanOrEqual(1);
  const others = await Promise.all(
    Array.from({ length: 8 }, () => new Subscriber('?interval=250ms').opened()),
  );
  await expect.poll(() => others.at(-1)!.named('snapshot').length, soon).toBeGreaterThanOrEqual(4);
  // Each newcomer may have one of his own on arrival; the rounds are common.
  expect(built).toBeLessThanOrEqual(first.named('snapshot').length + others.length + 1);
  for (const subscriber of [first, ...others]) subscriber.socket.destroy();
});

test('receipts and operator actions come as they happen, and cannot forge an event', async () => {
  await start();
  const subscriber = await new Subscriber('?interval=never').opened();
  const written = api.fake.trail.record(REFUSAL, 0);
  api.fake.trail.act({
    action: 'kick',
    by: 'operator@127.0.0.1',
    target: 's-1',
    result: 'ok',
    detail: 'kicked',
  });
  await expect.poll(() => subscriber.events.length, soon).toBe(2);
  expect(receipt.parse(subscriber.named('receipt')[0])).toEqual(written);
  expect(subscriber.named('audit')[0]).toMatchObject({ action: 'kick', target: 's-1' });
  expect(subscriber.events.map(({ name }) => name)).toEqual(['receipt', 'audit']);
  subscriber.socket.destroy();
});

test('a quiet connection is kept open by comments', async () => {
  await start({ events: { heartbeatMs: 20 } });
  const subscriber = await new Subscriber('?interval=never').opened();
  await expect.poll(() => subscriber.text.match(/^: alive$/gm)?.length ?? 0, soon).toBeGreaterThanOrEqual(3);
  subscriber.socket.destroy();
});

test.each(['0s', '249ms', '61s', '1', 'x', ''])('an interval of %j is refused', async (text) => {
  await start();
  const answer = await fetch(`${api.url}/api/v1/events?interval=${text}`);
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { errors: unknown[] }).errors).toMatchObject([{ parameter: 'interval' }]);
});

test('a snapshot of 10,000 streams tells the first two thousand and counts the rest', async () => {
  await start();
  api.fake.all = Array.from({ length: 10_000 }, (_, n) => streamSnapshot(n + 1));
  const subscriber = await new Subscriber().opened();
  await expect.poll(() => subscriber.named('snapshot').length, soon).toBeGreaterThanOrEqual(1);
  const told = subscriber.named('snapshot')[0] as { streams: unknown[]; omitted: number };
  expect([told.streams.length, told.omitted]).toEqual([2_000, 8_000]);
  subscriber.socket.destroy();
});

describe('a subscriber that does not read', () => {
  test('loses events beyond a bound, is told how many, and others lose none', async () => {
    await start();
    const slow = await new Subscriber('?interval=never').opened();
    const quick = await new Subscriber('?interval=never').opened();
    slow.socket.pause();
    let acted = 0;
    const act = (): void => {
      api.fake.trail.act({
        action: 'reload',
        by: 'x',
        target: null,
        result: 'ok',
        detail: 'd'.repeat(1_000),
      });
      acted++;
    };
    // The kernel's buffers take the first megabytes; then the bound holds.
    while (api.server.eventsDropped() === 0 && acted < 50_000) {
      for (let n = 0; n < 500; n++) act();
      await expect.poll(() => quick.events.length, soon).toBe(acted);
    }
    expect(api.server.eventsDropped()).toBeGreaterThan(0);
    slow.socket.resume();
    const received = (): number => slow.named('audit').length;
    await expect.poll(() => received() + api.server.eventsDropped(), soon).toBe(acted);
    act();
    await expect.poll(() => slow.named('dropped'), soon).toEqual([{ count: api.server.eventsDropped() }]);
    expect(quick.named('dropped')).toEqual([]);
    slow.socket.destroy();
    quick.socket.destroy();
  });

  test('is cut off after a heartbeat', async () => {
    await start({ events: { heartbeatMs: 50 } });
    const slow = await new Subscriber('?interval=never').opened();
    slow.socket.pause();
    for (let n = 0; n < 12_000; n++) {
      api.fake.trail.act({
        action: 'reload',
        by: 'x',
        target: null,
        result: 'ok',
        detail: 'd'.repeat(1_000),
      });
      if (n % 500 === 0) await new Promise(setImmediate);
    }
    let cut = false;
    slow.socket.on('close', () => {
      cut = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    slow.socket.resume();
    await expect.poll(() => cut, soon).toBe(true);
  });
});

test('a snapshot that is passed over for a slow reader is no event that he lost', async () => {
  await start();
  const { fake } = api;
  const feed = new EventFeed(fake);
  const written: string[] = [];
  const waiting = { writableLength: 1, writeHead: () => undefined, end: () => undefined };
  const response = Object.assign(new EventEmitter(), waiting, {
    write: (text: string) => written.push(text),
  });
  const allowed = () => true;
  feed.serve(response as unknown as ServerResponse, { headers: {}, intervalMs: 250, allowed });
  expect(feed.dropped).toBe(0);
  fake.trail.act({ action: 'kick', by: 'x', target: 's-1', result: 'ok', detail: 'kicked' });
  expect(written.map((text) => text.split('\n', 1)[0])).toEqual(['retry: 3000', 'event: audit']);
  feed.close();
});

describe('a token that is taken back', () => {
  const ALICE = { token: 'alices-token-0123456789', role: 'viewer' as const };
  const BOB = { token: 'bobs-token-0123456789', role: 'operator' as const };
  const act = () =>
    api.fake.trail.act({ action: 'kick', by: 'x', target: 's-1', result: 'ok', detail: 'not for everybody' });

  test('ends its subscriptions before another word, and nobody else notices', async () => {
    let tokens = [ALICE, BOB];
    await start({ tokens: () => tokens });
    const gone = await new Subscriber('?interval=never', ALICE.token).opened();
    const stays = await new Subscriber('?interval=never', BOB.token).opened();
    tokens = [BOB];
    act();
    await expect.poll(() => gone.text, soon).toContain(': no longer allowed');
    await expect.poll(() => stays.named('audit').length, soon).toBe(1);
    act();
    await expect.poll(() => stays.named('audit').length, soon).toBe(2);
    expect(gone.events).toEqual([]);
    for (const { socket } of [gone, stays]) socket.destroy();
  });

  test.each([
    ['with the next snapshot', { heartbeatMs: 60_000 }, '?interval=250ms'],
    ['with the next sign of life', { heartbeatMs: 20 }, '?interval=never'],
  ])('is noticed %s where nothing happens', async (_when, events, query) => {
    let tokens = [ALICE, BOB];
    await start({ tokens: () => tokens, events });
    const gone = await new Subscriber(query, ALICE.token).opened();
    tokens = [BOB];
    await expect.poll(() => gone.text, soon).toContain(': no longer allowed');
    gone.socket.destroy();
  });
});

test('there are only so many subscribers, and places come back', async () => {
  await start();
  const all = await Promise.all(Array.from({ length: 32 }, () => new Subscriber('?interval=never').opened()));
  const refused = await fetch(`${api.url}/api/v1/events`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
  expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  await refused.text();
  all[0]!.socket.destroy();
  const free = async (): Promise<number> => {
    const leaving = new AbortController();
    const { status } = await fetch(`${api.url}/api/v1/events?interval=never`, { signal: leaving.signal });
    leaving.abort();
    return status;
  };
  await expect.poll(free, soon).toBe(200);
  for (const { socket } of all) socket.destroy();
});

test('closing the server ends subscriptions and running answers within a second or so', async () => {
  await start();
  const subscriber = await new Subscriber().opened();
  api.fake.all = Array.from({ length: 10_000 }, (_, n) => streamSnapshot(n + 1));
  const stuck = connect(api.port, '127.0.0.1').on('error', () => undefined);
  stuck.write('GET /api/v1/streams HTTP/1.1\r\nHost: localhost\r\n\r\n');
  stuck.pause();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const started = performance.now();
  await api.server.close();
  expect(performance.now() - started).toBeLessThan(3_000);
  await expect.poll(() => subscriber.socket.closed, soon).toBe(true);
  expect(subscriber.text).toContain(': the server stops');
  stuck.destroy();
});
