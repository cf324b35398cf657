import { describe, expect, it } from 'vitest';
import { type NodeRate, ownRates } from '../../../../src/core/meter/node-rate.ts';
import { Slab, type StreamSetup } from '../../../../src/core/meter/slab.ts';
import {
  FLAG,
  MODE,
  NODE,
  NODE_STRIDE,
  nodeAt,
  STREAM,
  STREAM_STRIDE,
  streamAt,
} from '../../../../src/core/meter/slab-layout.ts';

const RATE: NodeRate = { ratePerSec: 1000, tauMs: 1000, debtMaxMs: 5000 };

const OWN = ownRates({ max_bitrate: 6e6, max_fps: 30, max_packets_per_sec: 2000, on_exceed: 'throttle' });

function setup(over: Partial<StreamSetup> = {}): StreamSetup {
  return { onExceed: 'throttle', exempt: false, own: OWN, client: null, ip: null, global: null, ...over };
}

function node(slab: Slab, row: number, field: keyof typeof NODE): number {
  return slab.nodes[nodeAt(row, NODE[field])]!;
}

function stream(slab: Slab, row: number, field: keyof typeof STREAM): number {
  return slab.streams[streamAt(row, STREAM[field])]!;
}

describe('Slab', () => {
  it('hands out nodes set to their rate, each once, and says null when there are no more', () => {
    const slab = new Slab({ streams: 0, sharedNodes: 3 });
    const taken = [slab.takeNode(RATE), slab.takeNode(RATE), slab.takeNode(RATE)];
    expect(new Set(taken)).toEqual(new Set([0, 1, 2]));
    expect(slab.takeNode(RATE)).toBeNull();
    expect(slab.nodesInUse).toBe(3);
    expect(node(slab, 0, 'INTERVAL')).toBe(1);
    expect(node(slab, 0, 'TAU')).toBe(1000);
    expect(node(slab, 0, 'DEBT_MAX')).toBe(5000);
  });

  it('hands a row given back out again with nothing of its past', () => {
    const slab = new Slab({ streams: 0, sharedNodes: 1 });
    const row = slab.takeNode(RATE)!;
    slab.nodes.fill(99, 0, NODE_STRIDE);
    slab.nodes[nodeAt(row, NODE.IN_USE)] = 1;
    slab.releaseNode(row);
    expect(slab.takeNode({ ...RATE, ratePerSec: Infinity })).toBe(row);
    expect([...slab.nodes]).toEqual([0, 0, 1000, 5000, 0, 0, 0, 1]);
  });

  it('takes a row back once, however often it is given', () => {
    const slab = new Slab({ streams: 2, sharedNodes: 2 });
    const row = slab.takeNode(RATE)!;
    const slot = slab.takeStream(setup())!;
    for (let i = 0; i < 3; i++) {
      slab.releaseNode(row);
      slab.releaseStream(slot);
    }
    expect([slab.nodesInUse, slab.streamsInUse]).toEqual([0, 0]);
    expect(slab.takeStream(setup())).not.toBe(slab.takeStream(setup()));
  });

  it('sets a stream up with its own nodes, its parents and its mode', () => {
    const slab = new Slab({ streams: 2, sharedNodes: 2 });
    const [client, global] = [slab.takeNode(RATE)!, slab.takeNode(RATE)!];
    const slot = slab.takeStream(setup({ onExceed: 'drop', exempt: true, client, global }))!;
    expect(stream(slab, slot, 'MODE')).toBe(MODE.DROP);
    expect(stream(slab, slot, 'FLAGS')).toBe(FLAG.IN_USE | FLAG.EXEMPT);
    expect(stream(slab, slot, 'NODE_CLIENT')).toBe(client);
    expect(stream(slab, slot, 'NODE_IP')).toBe(-1);
    expect(stream(slab, slot, 'NODE_GLOBAL')).toBe(global);
    expect(stream(slab, slot, 'LAST_DTS')).toBe(-1);
    expect(node(slab, stream(slab, slot, 'NODE_BITRATE'), 'INTERVAL')).toBeCloseTo(1000 / 750_000, 12);
    expect(node(slab, stream(slab, slot, 'NODE_PACKETS'), 'INTERVAL')).toBe(0.5);
    const own = (['NODE_BITRATE', 'NODE_PACKETS', 'NODE_FPS_WALL', 'NODE_FPS_MEDIA'] as const).map((field) =>
      stream(slab, slot, field),
    );
    expect(new Set([...own, client, global]).size).toBe(6);
    expect(slab.nodesInUse).toBe(6);
    slab.releaseStream(slot);
    expect(slab.nodesInUse).toBe(2);
  });

  it('takes a stream whole or not at all', () => {
    const slab = new Slab({ streams: 1, sharedNodes: 0 });
    const node = slab.takeNode(RATE)!;
    expect(slab.takeStream(setup())).toBeNull();
    expect([slab.nodesInUse, slab.streamsInUse]).toEqual([1, 0]);
    slab.releaseNode(node);
    expect(slab.takeStream(setup())).toBe(0);
    expect(slab.takeStream(setup())).toBeNull();
    expect([slab.nodesInUse, slab.streamsInUse]).toEqual([4, 1]);
  });

  it('gives every row back after any churn', () => {
    const slab = new Slab({ streams: 50, sharedNodes: 10 });
    const held: number[] = [];
    for (let i = 0; i < 5000; i++) {
      if ((i * 7919) % 3 === 0 && held.length > 0)
        slab.releaseStream(held.splice((i * 31) % held.length, 1)[0]!);
      else {
        const slot = slab.takeStream(setup());
        expect(slot === null).toBe(held.length === 50);
        if (slot !== null) held.push(slot);
      }
      expect(new Set(held).size).toBe(held.length);
    }
    for (const slot of held) slab.releaseStream(slot);
    expect([slab.nodesInUse, slab.streamsInUse]).toEqual([0, 0]);
  });

  it('never touches a neighbour', () => {
    const slab = new Slab({ streams: 3, sharedNodes: 0 });
    const [a, b, c] = [0, 1, 2].map(() => slab.takeStream(setup())!);
    const rowOf = (slot: number) => [
      ...slab.streams.subarray(streamAt(slot, 0), streamAt(slot, STREAM_STRIDE)),
    ];
    const before = [rowOf(a!), rowOf(c!)];
    slab.setStreamLimits(b!, 'drop', OWN, 5);
    slab.releaseStream(b!);
    slab.takeStream(setup({ onExceed: 'observe' }));
    expect([rowOf(a!), rowOf(c!)]).toEqual(before);
  });

  describe('a live rate', () => {
    const rows = [
      { name: 'lowered: the same units take longer', to: 500, tat: 100, expected: 200 },
      { name: 'raised: the same units are repaid sooner', to: 4000, tat: 100, expected: 25 },
      { name: 'unchanged: nothing changes', to: 1000, tat: 100, expected: 100 },
      { name: 'without debt: none comes of it', to: 1, tat: -50, expected: 0 },
      { name: 'made unlimited: nothing is owed', to: Infinity, tat: 100, expected: 0 },
      { name: 'made 0: nothing is owed', to: 0, tat: 100, expected: 0 },
      { name: 'much lowered: the bound of debt holds', to: 1, tat: 100, expected: 6000 },
    ];
    for (const { name, to, tat, expected } of rows) {
      it(name, () => {
        const slab = new Slab({ streams: 0, sharedNodes: 1 });
        const row = slab.takeNode(RATE)!;
        slab.nodes[nodeAt(row, NODE.TAT)] = 7000 + tat;
        slab.setRate(row, { ...RATE, ratePerSec: to }, 7000);
        expect(node(slab, row, 'TAT') - 7000).toBeCloseTo(expected, 9);
      });
    }

    it('set from unlimited or 0 begins with its whole burst', () => {
      for (const from of [Infinity, 0]) {
        const slab = new Slab({ streams: 0, sharedNodes: 1 });
        const row = slab.takeNode({ ...RATE, ratePerSec: from })!;
        slab.nodes[nodeAt(row, NODE.TAT)] = 9000;
        slab.setRate(row, RATE, 7000);
        expect(node(slab, row, 'TAT')).toBe(7000);
      }
    });

    it('of media FPS is changed on the DTS clock', () => {
      const slab = new Slab({ streams: 1, sharedNodes: 0 });
      const slot = slab.takeStream(setup())!;
      const row = stream(slab, slot, 'NODE_FPS_MEDIA');
      slab.streams[streamAt(slot, STREAM.LAST_DTS)] = 50_000;
      slab.nodes[nodeAt(row, NODE.TAT)] = 50_400;
      const halved = ownRates({
        max_bitrate: 1e6,
        max_fps: 15,
        max_packets_per_sec: 5,
        on_exceed: 'observe',
      });
      slab.setStreamLimits(slot, 'observe', halved, 1_000_000);
      expect(node(slab, row, 'TAT')).toBeCloseTo(50_800, 6);
      expect(stream(slab, slot, 'MODE')).toBe(MODE.OBSERVE);
    });
  });
});
