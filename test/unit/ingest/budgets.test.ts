import { expect, test } from 'vitest';
import { ReferenceAccounting } from '../../../src/core/meter/accounting.ts';
import { ownRates } from '../../../src/core/meter/node-rate.ts';
import { Slab } from '../../../src/core/meter/slab.ts';
import { NODE, nodeAt } from '../../../src/core/meter/slab-layout.ts';
import { Budgets } from '../../../src/ingest/budgets.ts';

const NOW = 10_000;
const GLOBAL_BPS = 8e6;
const UNLIMITED = {
  max_bitrate: Number.POSITIVE_INFINITY,
  max_fps: Number.POSITIVE_INFINITY,
  max_packets_per_sec: Number.POSITIVE_INFINITY,
  on_exceed: 'throttle',
} as const;

function rig(clientBps = Number.POSITIVE_INFINITY) {
  const slab = new Slab({ streams: 2, sharedNodes: 3 });
  const budgets = new Budgets(slab, GLOBAL_BPS);
  const share = budgets.client('alice', clientBps, NOW);
  const slot = slab.takeStream({
    onExceed: 'throttle',
    exempt: false,
    own: ownRates(UNLIMITED),
    client: share.node,
    ip: null,
    global: budgets.global,
  });
  const accounting = new ReferenceAccounting(slab.nodes, slab.streams);
  const send = (bytes: number, now: number) => accounting.account(slot ?? -1, bytes, 1, 0, now);
  const aheadMs = (node: number) => (slab.nodes[nodeAt(node, NODE.TAT)] as number) - NOW;
  return { slab, budgets, share, send, aheadMs };
}

test('while shares hold the sum, what the budget was owed slows nobody', () => {
  const { budgets, send } = rig();
  expect(send(3_000_000, NOW)).toBeCloseTo(2_000);
  budgets.relieveGlobal(NOW);
  expect(send(500_000, NOW)).toBeLessThan(0.001);
  expect(send(100_000, NOW)).toBeCloseTo(100);
});

test('a budget that owes less than half of its burst is left as it is', () => {
  const { budgets, send, aheadMs } = rig();
  send(400_000, NOW);
  budgets.relieveGlobal(NOW);
  expect(aheadMs(budgets.global)).toBeCloseTo(400);
});

test('the budget of a client is relieved by itself', () => {
  const { budgets, send, share, aheadMs } = rig(4e6);
  expect(send(3_000_000, NOW)).toBeCloseTo(5_000);
  budgets.relieveClient('alice', NOW);
  budgets.relieveClient('bob', NOW);
  expect(aheadMs(share.node ?? -1)).toBeCloseTo(500);
  expect(aheadMs(budgets.global)).toBeCloseTo(3_000);
});

test('the last stream of a client takes its budget with it', () => {
  const { slab, budgets, share } = rig(4e6);
  const second = budgets.client('alice', 4e6, NOW);
  expect(second.node).toBe(share.node);
  share.release();
  share.release();
  expect(slab.nodes[nodeAt(second.node ?? -1, NODE.IN_USE)]).toBe(1);
  second.release();
  expect(slab.nodes[nodeAt(second.node ?? -1, NODE.IN_USE)]).toBe(0);
});
