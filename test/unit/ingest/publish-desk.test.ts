import { expect, test } from 'vitest';
import { Admission } from '../../../src/core/admission/admission.ts';
import { refusal } from '../../../src/core/admission/denials.ts';
import type { AdmissionConfig } from '../../../src/core/admission/questions.ts';
import { Slab } from '../../../src/core/meter/slab.ts';
import { STREAM, streamAt } from '../../../src/core/meter/slab-layout.ts';
import { PolicyResolver } from '../../../src/core/policy/resolve.ts';
import type { Receipt } from '../../../src/core/verdict.ts';
import { Budgets } from '../../../src/ingest/budgets.ts';
import { IdentityDirectory } from '../../../src/ingest/identity.ts';
import type { LiveStream } from '../../../src/ingest/live-stream.ts';
import { Playback } from '../../../src/ingest/playback/playback.ts';
import type { CutOrder, Decision, DecisionRecorder, DecisionSubject } from '../../../src/ingest/ports.ts';
import { type PublishAnswer, PublishDesk } from '../../../src/ingest/publish-desk.ts';
import { StreamRegistry } from '../../../src/ingest/registry.ts';
import { StreamTally } from '../../../src/ingest/stream-tally.ts';
import { FakePressure } from './fake-pressure.ts';

const PLENTY = { count: 1000, periodMs: 1000 };

/** Clients by the first letters of their keys, and what they are worth. */
const PRIORITY = { low: 10, mid: 50, high: 90 } as const;

type Client = keyof typeof PRIORITY;

class Desk {
  now = 1_000;
  preempt: boolean;
  readonly slab: Slab;
  readonly registry = new StreamRegistry();
  readonly pressure = new FakePressure();
  readonly admission: Admission;
  readonly desk: PublishDesk;
  readonly written: (Decision & DecisionSubject & { action: Receipt['action'] })[] = [];
  readonly told: string[] = [];
  readonly #allow: string[];

  constructor({ maxStreams = 100, perClient = 100, rows = 8, preempt = false, allow = [] as string[] } = {}) {
    this.preempt = preempt;
    this.slab = new Slab({ streams: rows, sharedNodes: rows * 2 + 1 });
    this.#allow = allow;
    this.admission = new Admission(this.#admissionConfig(maxStreams));
    const clients = (Object.keys(PRIORITY) as Client[]).map((id) => ({
      id,
      tier: null,
      priority: PRIORITY[id],
      keys: Array.from({ length: 9 }, (_, i) => ({ key: `k-${id}-${i}`, name: `${id}${i}` })),
    }));
    const identities = new IdentityDirectory({ mode: 'keys', clients });
    const stream = {
      max_bitrate: 6e6,
      bitrate_window: 2000,
      max_fps: 60,
      max_packets_per_sec: 2000,
      on_exceed: 'throttle',
      grace: 10_000,
      cooldown: 30_000,
    } as const;
    const client = { max_streams: perClient, max_bandwidth: 50e6, publish_rate: PLENTY };
    const resolver = new PolicyResolver({ stream, client, tiers: {}, clients: [], policies: [] });
    this.desk = new PublishDesk({
      admission: this.admission,
      slab: this.slab,
      budgets: new Budgets(this.slab, Number.POSITIVE_INFINITY),
      registry: this.registry,
      playback: new Playback({ maxPlayers: 1, maxQueueBytes: 1e6 }, { info: () => {} }),
      decisions: this.#recorder(),
      tally: new StreamTally(this.registry),
      pressure: this.pressure,
      preempts: () => this.preempt,
      identities: () => identities,
      resolver: () => resolver,
      ipBps: () => Number.POSITIVE_INFINITY,
    });
  }

  publish(client: Client, number = 0, ip = '192.0.2.1'): PublishAnswer {
    const verdict = this.admission.connect(ip, this.now);
    if (!verdict.allowed) throw new Error(`no connection: ${verdict.reason}`);
    const name = `k-${client}-${number}`;
    const answer = this.desk.publish(
      {
        ip,
        port: 4000,
        app: 'live',
        name,
        protocol: 'rtmp',
        lease: verdict.lease,
        connection: {
          cut: (order: CutOrder) => void this.told.push(`${client}${number} ${order.notice}`),
          recheck: () => {},
          throttledMs: () => 0,
          transport: () => ({ rtt_ms: null, loss: null, retransmitted: null }),
          paused: false,
          orphaned: false,
          probe: () => {},
        },
        source: { replay: () => {} },
      },
      this.now,
      this.now,
    );
    this.now += 10;
    return answer;
  }

  let(client: Client, number = 0, ip?: string): LiveStream {
    const answer = this.publish(client, number, ip);
    if (!answer.ok) throw new Error(`refused: ${answer.notice}`);
    return answer.stream;
  }

  refused(client: Client, number = 0): string {
    const answer = this.publish(client, number);
    if (answer.ok) throw new Error('let in');
    return `${answer.reason} ${answer.retryAfterMs}`;
  }

  /** A reload: so many streams may be live from now on. */
  limit(maxStreams: number): void {
    this.admission.configure(this.#admissionConfig(maxStreams), this.now);
  }

  get live(): string[] {
    return [...this.registry.all()].map(({ identity }) => identity.name);
  }

  #admissionConfig(maxStreams: number): AdmissionConfig {
    const global = { max_connections: 100, connection_rate: PLENTY, max_streams: maxStreams };
    const ip = { max_connections: 100, connection_rate: PLENTY, ipv6_prefix: 64 };
    return { limits: { global, ip }, allow: this.#allow, deny: [] };
  }

  #recorder(): DecisionRecorder {
    return {
      record: (action, decision, subject) => {
        this.written.push({ ...decision, ...subject, action });
        return { id: `r-${this.written.length}` } as Receipt;
      },
      refusedAtDoor: () => {},
      admitted: () => {},
      note: () => {},
    };
  }
}

const shed = (retryAfterMs: number) => ({ ...refusal('shed', '/live/low0', retryAfterMs) });
const shortOfCpu = { ...refusal('resource_cpu', 'cpu', 4_000), limit: 0.8, observed: 0.85 };

test('what the machine cannot bear is refused with the reason and the delay it gave', () => {
  const desk = new Desk();
  desk.pressure.answer = ({ priority }) => (priority < 50 ? shed(24_000) : null);
  expect(desk.refused('low')).toBe('shed 24000');
  desk.let('mid');
  expect(desk.written).toMatchObject([
    { action: 'refuse', reason: 'shed', path: '/live/low0', retryAfterMs: 24_000 },
  ]);
  expect(desk.pressure.asked).toMatchObject([
    { path: '/live/low0', priority: 10, exempt: false, protocol: 'rtmp', expectedBps: 6e6 },
    { path: '/live/mid0', priority: 50 },
  ]);
});

test('of what the machine makes it wait and what else does, the longest is told', () => {
  const desk = new Desk({ perClient: 1 });
  const stream = desk.let('low');
  desk.desk.cut(stream, { reason: 'kicked', detail: '', cooldownMs: 30_000 }, desk.now);
  desk.pressure.answer = () => shed(9_000);
  expect(desk.publish('low', 0, '198.51.100.9')).toMatchObject({ reason: 'shed', retryAfterMs: 30_000 });
  desk.now += 25_000;
  expect(desk.publish('low', 0, '198.51.100.9')).toMatchObject({ reason: 'shed', retryAfterMs: 9_000 });
  expect(desk.admission.global().streams).toBe(0);
});

test('a refusal takes nothing', () => {
  const desk = new Desk({ maxStreams: 1, perClient: 1 });
  desk.pressure.answer = () => shortOfCpu;
  expect(desk.refused('low')).toBe('resource_cpu 4000');
  desk.pressure.answer = () => null;
  desk.let('low');
  expect(desk.refused('low', 1)).toBe('client_streams 1000');
  expect(desk.pressure.held).toBe(1);
});

test('a server that shuts down says so, however pressed it is', () => {
  const desk = new Desk();
  const connected = desk.admission.connect('192.0.2.1', desk.now);
  if (!connected.allowed) throw new Error('refused');
  desk.pressure.answer = () => shortOfCpu;
  desk.admission.setDraining(true);
  const answer = desk.desk.publish(
    {
      ip: '192.0.2.1',
      port: 4,
      app: 'live',
      name: 'k-low-0',
      protocol: 'rtmp',
      lease: connected.lease,
      connection: {} as never,
      source: { replay: () => {} },
    },
    desk.now,
    desk.now,
  );
  expect(answer).toMatchObject({ ok: false, reason: 'draining' });
});

const ENDS: readonly [how: string, end: (desk: Desk, stream: LiveStream) => void][] = [
  ['leaves', (desk: Desk, stream: LiveStream) => desk.desk.ended(stream, 'unpublished', desk.now)],
  [
    'is cut',
    (desk: Desk, stream: LiveStream) =>
      void desk.desk.cut(stream, { reason: 'kicked', detail: '', cooldownMs: null }, desk.now),
  ],
  [
    'is told to go twice',
    (desk: Desk, stream: LiveStream) => {
      desk.desk.cut(stream, { reason: 'shed', detail: '', cooldownMs: 0 }, desk.now);
      desk.desk.ended(stream, 'connection closed', desk.now);
    },
  ],
];

test.each(ENDS)('a stream that %s gives its reservation back', (_how, end) => {
  const desk = new Desk();
  const stream = desk.let('mid');
  expect([desk.pressure.held, stream.reservation?.held]).toEqual([1, true]);
  end(desk, stream);
  expect([desk.pressure.held, stream.reservation?.held, desk.pressure.ledger.pending]).toEqual([0, false, 0]);
});

test('a publisher for whom there is no row holds nothing', () => {
  const desk = new Desk({ rows: 2 });
  desk.let('mid', 0);
  desk.let('mid', 1);
  expect(desk.refused('mid', 2)).toBe('global_streams 1000');
  expect(desk.pressure.held).toBe(2);
  expect(desk.admission.global().streams).toBe(2);
});

test('a takeover gives back what the ghost held', () => {
  const desk = new Desk();
  desk.let('mid');
  desk.now += 10_000;
  const again = desk.let('mid');
  expect(desk.pressure.held).toBe(1);
  expect(again.reservation?.held).toBe(true);
});

test('a cut for shedding says when to return, and starts no cooldown', () => {
  const desk = new Desk();
  const stream = desk.let('low');
  desk.desk.cut(
    stream,
    { reason: 'shed', detail: 'too much', cooldownMs: 0, retryAfterMs: 42_000 },
    desk.now,
  );
  expect(desk.written).toMatchObject([
    { action: 'cut', reason: 'shed', scope: 'server', retryAfterMs: 42_000 },
  ]);
  expect(desk.told).toEqual(['low0 headgate: shed retry_after=42s receipt=r-1']);
  desk.let('low');
});

test('without preemption a full server is full, whoever asks', () => {
  const desk = new Desk({ maxStreams: 1 });
  desk.let('low');
  expect(desk.refused('high')).toBe('global_streams 1000');
  expect(desk.live).toEqual(['low0']);
});

test('with it the newest of the lowest makes room, and is told why', () => {
  const desk = new Desk({ maxStreams: 4, preempt: true });
  desk.let('mid');
  desk.let('low', 0);
  desk.let('low', 1);
  desk.let('mid', 1);
  desk.let('high');
  expect(desk.live).toEqual(['mid0', 'low0', 'mid1', 'high0']);
  expect(desk.written).toMatchObject([
    { action: 'cut', reason: 'shed', path: '/live/low1', retryAfterMs: 1_000 },
  ]);
  desk.let('high', 1);
  expect(desk.live).toEqual(['mid0', 'mid1', 'high0', 'high1']);
  desk.let('high', 2);
  expect(desk.live).toEqual(['mid0', 'high0', 'high1', 'high2']);
  expect(desk.pressure.held).toBe(4);
});

test('equals never push each other out, nor does a lower one a higher one', () => {
  const desk = new Desk({ maxStreams: 1, preempt: true });
  desk.let('mid');
  expect(desk.refused('mid', 1)).toBe('global_streams 1000');
  expect(desk.refused('low')).toBe('global_streams 1000');
  expect(desk.live).toEqual(['mid0']);
});

test('nobody is cut for a publisher who is refused all the same', () => {
  const desk = new Desk({ maxStreams: 2, perClient: 1, preempt: true });
  desk.let('high');
  desk.let('low');
  expect(desk.refused('high', 1)).toBe('client_streams 1000');
  desk.pressure.answer = () => shortOfCpu;
  expect(desk.refused('high', 1)).toBe('resource_cpu 4000');
  expect(desk.live).toEqual(['high0', 'low0']);
});

test('nobody is cut where one stream less is not enough: the cap came down under those who are live', () => {
  const desk = new Desk({ maxStreams: 3, preempt: true });
  for (const number of [0, 1, 2]) desk.let('low', number);
  desk.limit(2);
  expect(desk.refused('high')).toBe('global_streams 1000');
  expect(desk.live).toEqual(['low0', 'low1', 'low2']);
  desk.desk.ended([...desk.registry.all()][0] as LiveStream, 'unpublished', desk.now);
  desk.let('high');
  expect(desk.live).toEqual(['low1', 'high0']);
});

test('who is never limited is never pushed out', () => {
  const desk = new Desk({ maxStreams: 1, preempt: true, allow: ['198.51.100.1'] });
  desk.let('low', 0, '198.51.100.1');
  expect(desk.refused('high')).toBe('global_streams 1000');
});

test.each([
  ['the gate is closed', { closed: shortOfCpu, answer: () => shortOfCpu }, 'resource_cpu 4000'],
  ['the machine has no room', { answer: () => shortOfCpu }, 'resource_cpu 4000'],
  ['others are being shed', { answer: () => shed(9_000) }, 'shed 9000'],
])('no place is taken while %s: one stream less makes no room then', (_when, press, told) => {
  const desk = new Desk({ maxStreams: 1, preempt: true });
  desk.let('low');
  Object.assign(desk.pressure, press);
  expect(desk.refused('high')).toBe(told);
  expect(desk.live).toEqual(['low0']);
});

test('what is expected of a stream is what its key sent the last time', () => {
  const desk = new Desk();
  const first = desk.let('mid');
  const bytes = 1_500_000;
  desk.slab.streams[streamAt(first.slot, STREAM.BYTES)] = bytes;
  desk.now += 20_000 - 10;
  desk.desk.ended(first, 'unpublished', desk.now);
  desk.let('mid');
  expect(desk.pressure.asked.map(({ expectedBps }) => Math.round((expectedBps ?? 0) / 1000))).toEqual([
    6_000, 600,
  ]);
});

test('what a squeezed stream sent says nothing about the next time', () => {
  const desk = new Desk();
  const first = desk.let('mid');
  desk.slab.streams[streamAt(first.slot, STREAM.BYTES)] = 1_500_000;
  first.setCeiling({ bps: 600_000, by: 'shed' }, desk.now);
  desk.now += 20_000;
  desk.desk.ended(first, 'unpublished', desk.now);
  desk.let('mid');
  expect(desk.pressure.asked.map(({ expectedBps }) => (expectedBps ?? 0) / 1000)).toEqual([6_000, 6_000]);
});

test('a stream that cannot begin, for a fault of ours, leaves its place to others', () => {
  const desk = new Desk({ maxStreams: 1 });
  desk.pressure.broken = true;
  expect(() => desk.let('mid')).toThrow('out of order');
  desk.pressure.broken = false;
  desk.let('mid', 1);
  expect(desk.live).toEqual(['mid1']);
});
