import { expect, test } from 'vitest';
import { History, type Remembered } from '../../../src/app/history.ts';
import type { LiveStream } from '../../../src/ingest/live-stream.ts';
import { calmGovernor } from '../../support/governor-snapshot.ts';

const ROUND_MS = 250;

/** What the history asks of a live stream, and nothing else of it. */
function stream(id: string, slot: number, bps: number): LiveStream {
  return {
    id,
    path: `/live/${id}`,
    slot,
    ring: { bitrateBps: () => bps, wallFps: () => 30, mediaFps: () => null, packetsPerSec: () => 70 },
    limits: { max_bitrate: 6e6 },
    ceiling: { bps: 2e6, by: 'global' },
    connection: { throttledMs: () => 0 },
    read: () => 0,
  } as unknown as LiveStream;
}

class Rig {
  extras = true;
  now = 0;
  snapshots = 0;
  readonly live = [stream('a', 0, 1e6), stream('b', 1, 2e6)];
  readonly history: History;

  constructor() {
    const remembered: Remembered = {
      connections: 3,
      registry: { find: (id) => this.live.find((one) => one.id === id) },
      governance: {
        extras: true,
        snapshot: () => {
          this.snapshots++;
          return calmGovernor();
        },
      },
    };
    Object.defineProperty(remembered.governance, 'extras', { get: () => this.extras });
    this.history = new History(remembered, () => ({ client_streams: 2 }));
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += ROUND_MS;
      this.history.begin(this.now);
      for (const one of this.live) this.history.step(one, this.now);
      this.history.finish(this.now);
    }
  }

  values(id: string): (number | null)[] {
    return this.history.stream(id)!.columns.bitrate_bps;
  }
}

test('streams are not sampled while the server does without extras, and the server itself still is', () => {
  const rig = new Rig();
  rig.run(6_000);
  rig.extras = false;
  const rows = rig.values('a').filter((value) => value !== null).length;
  rig.run(10_000);
  expect(rig.values('a').filter((value) => value !== null)).toHaveLength(rows);
  rig.extras = true;
  rig.run(2_000);
  const seen = rig.values('a').map((value) => (value === null ? '.' : 'x'));
  expect(seen.join('')).toMatch(/^x+\.{4,5}x+/);
  const { columns, denied } = rig.history.node();
  expect(columns.bitrate_bps.slice(0, 9)).toEqual(new Array(9).fill(3e6));
  expect(columns.budget_bps[0]).toBe(2e9);
  expect(denied.client_streams?.[0]).toBe(2);
});

test('the machine is asked once for a row of the server, not in every round', () => {
  const rig = new Rig();
  rig.run(20_000);
  expect(rig.snapshots).toBe(11);
});

test('a stream that ended is found until it is forgotten, and a ceiling is told beside the limit', () => {
  const rig = new Rig();
  rig.run(4_000);
  const [gone] = rig.live.splice(0, 1);
  rig.history.ended(gone!);
  const past = rig.history.stream('a')!;
  expect(past.ended_at).not.toBeNull();
  expect([past.columns.limit_bps[0], past.columns.ceiling_bps[0]]).toEqual([6e6, 2e6]);
  expect(rig.history.stream('s-other')).toBeNull();
});
