import { expect, test } from 'vitest';
import type { EffectiveLimits, OnExceed } from '../../../src/core/limits.ts';
import { ReferenceAccounting } from '../../../src/core/meter/accounting.ts';
import { Slab } from '../../../src/core/meter/slab.ts';
import { MODE, NODE, nodeAt, STREAM } from '../../../src/core/meter/slab-layout.ts';
import type { Squeezer } from '../../../src/core/stream.ts';
import { Budgets } from '../../../src/ingest/budgets.ts';
import { LiveStream } from '../../../src/ingest/live-stream.ts';
import type { StreamConnection } from '../../../src/ingest/ports.ts';
import { snapshotOf } from '../../../src/ingest/snapshot.ts';
import { StreamRows } from '../../../src/ingest/stream-rows.ts';

const LIMIT_BPS = 6e6;
const GRACE_MS = 3_000;

/** One live stream over a real slab, and what its control steps found. */
class Rig {
  now = 1_000;
  readonly slab = new Slab({ streams: 2, sharedNodes: 5 });
  readonly accounting = new ReferenceAccounting(this.slab.nodes, this.slab.streams);
  readonly stream: LiveStream;
  readonly opened: string[] = [];
  readonly cut: string[] = [];
  rechecks = 0;

  constructor(protocol: 'rtmp' | 'srt', onExceed: OnExceed, maxBitrate = LIMIT_BPS) {
    const stream = {
      max_bitrate: maxBitrate,
      bitrate_window: 2_000,
      max_fps: 60,
      max_packets_per_sec: 2_000,
      on_exceed: onExceed,
      grace: GRACE_MS,
      cooldown: 30_000,
    } as const;
    const never = { count: Number.POSITIVE_INFINITY, periodMs: 1_000 };
    const client = { max_streams: 5, max_bandwidth: 50e6, publish_rate: never };
    const limits: EffectiveLimits = { stream, client, sources: {}, observed: {} };
    const budgets = new Budgets(this.slab, Number.POSITIVE_INFINITY);
    const parents = { client: 'a', clientBps: 50e6, ipKey: '192.0.2.1', ipBps: Number.POSITIVE_INFINITY };
    const nature = { exempt: false, lossy: protocol === 'srt' };
    const rows = StreamRows.take(this.slab, budgets, stream, parents, nature, this.now);
    if (rows === null) throw new Error('no room');
    const connection: StreamConnection = {
      cut: () => {},
      recheck: () => this.rechecks++,
      throttledMs: () => 0,
      transport: () => ({ rtt_ms: null, loss: null, retransmitted: null }),
      paused: false,
      orphaned: false,
      probe: () => {},
    };
    const identity = {
      id: 's-1',
      protocol,
      app: 'live',
      name: 'cam',
      path: '/live/cam',
      client: 'a',
      ip: '192.0.2.1',
      ipKey: '192.0.2.1',
      port: 4,
      keyId: 'k',
    };
    const clock = { now: this.now, wallMs: 0 };
    this.stream = new LiveStream(identity, { tier: null, priority: 50 }, limits, rows, connection, clock);
  }

  hold(bps: number, by: Squeezer): void {
    this.stream.setCeiling({ bps, by }, this.now);
  }

  lift(): void {
    this.stream.setCeiling(null, this.now);
  }

  /** Sends evenly at `bps` for `ms`, whatever it is told, with a control step every 250 ms. */
  send(bps: number, ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 50) {
      this.accounting.account(this.stream.slot, Math.round((bps / 8) * 0.05), 1, 1, this.now);
      if (this.now % 250 === 0) this.step();
    }
  }

  step(): void {
    const { opened, cut } = this;
    this.stream.step(
      {
        episodeOpened: (_stream, { reason, action }) => opened.push(`${reason} ${action}`),
        cutDue: (_stream, reason) => cut.push(reason),
      },
      60_000,
      this.now,
    );
  }

  get mode(): number {
    return this.stream.read(STREAM.MODE);
  }

  /** Rate of its own bitrate node, bits/s. */
  get heldBps(): number {
    const interval = this.slab.nodes[nodeAt(this.stream.read(STREAM.NODE_BITRATE), NODE.INTERVAL)] as number;
    return Math.round(8_000 / interval);
  }
}

test.each([
  ['rtmp', 'throttle', MODE.THROTTLE, MODE.THROTTLE],
  ['rtmp', 'drop', MODE.DROP, MODE.DROP],
  ['rtmp', 'disconnect', MODE.DISCONNECT, MODE.THROTTLE],
  ['srt', 'throttle', MODE.DROP, MODE.DROP],
  ['srt', 'drop', MODE.DROP, MODE.DROP],
  ['srt', 'disconnect', MODE.DISCONNECT, MODE.DROP],
] as const)(
  '%s under %s is held to a ceiling, and has its own limit back after',
  (protocol, onExceed, own, held) => {
    const rig = new Rig(protocol, onExceed);
    expect([rig.mode, rig.heldBps]).toEqual([own, LIMIT_BPS]);
    rig.hold(1e6, 'global');
    expect([rig.mode, rig.heldBps]).toEqual([held, 1e6]);
    expect(rig.stream.limits.max_bitrate).toBe(LIMIT_BPS);
    rig.lift();
    expect([rig.mode, rig.heldBps]).toEqual([own, LIMIT_BPS]);
  },
);

test.each(['rtmp', 'srt'] as const)('%s that is only observed is held to nothing', (protocol) => {
  const rig = new Rig(protocol, 'observe');
  rig.hold(1e6, 'shed');
  expect([rig.mode, rig.heldBps]).toEqual([MODE.OBSERVE, LIMIT_BPS]);
  expect(rig.stream.governed).toBe(false);
});

test('a ceiling above the limit changes nothing, and a limit that is lowered below it goes first', () => {
  const rig = new Rig('rtmp', 'throttle');
  rig.hold(8e6, 'global');
  expect(rig.heldBps).toBe(LIMIT_BPS);
  rig.hold(4e6, 'global');
  rig.stream.overrideLimits({ max_bitrate: 2e6 }, Number.POSITIVE_INFINITY, rig.now);
  expect(rig.heldBps).toBe(2e6);
  rig.stream.overrideLimits({ max_bitrate: null }, Number.POSITIVE_INFINITY, rig.now);
  expect(rig.heldBps).toBe(4e6);
});

test('an unlimited stream has a ceiling as well', () => {
  const rig = new Rig('rtmp', 'throttle', Number.POSITIVE_INFINITY);
  rig.hold(1e6, 'client');
  expect(rig.heldBps).toBe(1e6);
  expect(snapshotOf(rig.stream, rig.now).share).toEqual({ ceiling_bps: 1e6, by: 'client' });
  expect(snapshotOf(rig.stream, rig.now).limits.max_bitrate_bps).toBeNull();
});

test.each([
  ['rtmp', 'throttle', 'global', 'global_bandwidth throttle'],
  ['rtmp', 'throttle', 'client', 'client_bandwidth throttle'],
  ['rtmp', 'disconnect', 'shed', 'shed throttle'],
  ['rtmp', 'drop', 'shed', 'shed drop'],
  ['srt', 'throttle', 'global', 'global_bandwidth drop'],
  ['srt', 'disconnect', 'shed', 'shed drop'],
] as const)('%s under %s squeezed by %s is told of as %s, and never cut', (protocol, onExceed, by, told) => {
  const rig = new Rig(protocol, onExceed);
  rig.hold(1e6, by);
  rig.send(3e6, GRACE_MS * 4);
  expect(rig.opened).toEqual([told]);
  expect(rig.cut).toEqual([]);
  expect(rig.stream.state).toBe(told.endsWith('drop') ? 'dropping' : 'throttled');
});

test('what is over is over: no own excess is told when a ceiling is lifted', () => {
  const rig = new Rig('rtmp', 'disconnect');
  rig.hold(1e6, 'global');
  rig.send(3e6, 4_000);
  rig.lift();
  rig.send(3e6, 8_000);
  expect(rig.opened).toEqual(['global_bandwidth throttle']);
  expect(rig.cut).toEqual([]);
  expect(rig.stream.state).toBe('live');
});

test('a stream that goes on exceeding its own limit is cut for it once the squeeze is over', () => {
  const rig = new Rig('rtmp', 'disconnect');
  rig.hold(1e6, 'global');
  rig.send(12e6, 6_000);
  expect(rig.cut).toEqual([]);
  rig.lift();
  // As long again as it was squeezed it may be catching up; then its grace begins.
  rig.send(12e6, 6_000 + GRACE_MS);
  expect(rig.cut).toEqual([]);
  rig.send(12e6, 2_000 + GRACE_MS);
  expect(rig.cut[0]).toBe('stream_bitrate');
});

test('a sender that catches up on what it was kept from is not cut for it', () => {
  const rig = new Rig('rtmp', 'throttle');
  rig.hold(1e6, 'global');
  rig.send(2.6e6, 20_000);
  rig.lift();
  rig.send(7e6, 4 * GRACE_MS);
  expect(rig.cut).toEqual([]);
  expect(rig.opened).toEqual(['global_bandwidth throttle']);
  rig.send(2.6e6, 20_000);
  expect(rig.stream.state).toBe('live');
  rig.send(12e6, 2_000);
  expect(rig.opened.at(-1)).toBe('stream_bitrate throttle');
});

test('its other limits are still its own', () => {
  const rig = new Rig('rtmp', 'disconnect');
  rig.hold(1e6, 'global');
  for (let i = 0; i < 200; i++, rig.now += 50) {
    rig.accounting.account(rig.stream.slot, 100, 1, 20, rig.now);
    if (rig.now % 250 === 0) rig.step();
  }
  expect(rig.cut[0]).toBe('stream_fps');
});

test('a pause is looked at again when a ceiling rises or goes, not each time it comes down a little', () => {
  const rig = new Rig('rtmp', 'throttle');
  rig.hold(2e6, 'global');
  const before = rig.rechecks;
  for (const bps of [1.9e6, 1.8e6, 1.8e6, 1.7e6]) rig.hold(bps, 'global');
  expect(rig.rechecks).toBe(before);
  rig.hold(2e6, 'global');
  rig.lift();
  expect(rig.rechecks).toBe(before + 2);
});

test('what a dropping stream wants is what it sends, not what is left of it', () => {
  const rig = new Rig('srt', 'throttle');
  rig.hold(1e6, 'global');
  rig.send(3e6, 4_000);
  expect(rig.stream.observedBps()).toBeCloseTo(3e6, -5);
});
