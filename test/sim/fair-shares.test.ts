import { describe, expect, it } from 'vitest';
import { GovernedNode, type Wish } from './governed-node.ts';

/** Sources over TCP that fill what they are given, under one budget: who ends up with what, and how soon. */

const SEEDS = [1, 2, 3];

/** Mean bits/s of every stream over the next while. */
function means(node: GovernedNode, forMs: number): Map<string, number> {
  const before = new Map(node.streams.map(({ path, bits }) => [path, bits]));
  node.run(forMs);
  return new Map(
    node.streams.map(({ path, bits }) => [path, ((bits - (before.get(path) ?? 0)) * 1000) / forMs]),
  );
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);

function told(shares: Map<string, number>): string {
  return [...shares].map(([path, bps]) => `${path} ${(bps / 1e6).toFixed(3)}`).join(', ');
}

describe('five streams on a budget of 5 Mbit/s', () => {
  const greedy = (i: number): Wish => ({ path: `/live/greedy${i}`, bps: 2.66e6 });
  const small: Wish = { path: '/live/small', bps: 0.6e6 };

  it('the small one is whole, the greedy four share the rest evenly, nothing is wasted', () => {
    for (const seed of SEEDS) {
      const node = new GovernedNode({ seed, settings: { globalBps: 5e6 } });
      node.come(small, node.draws.between(0, 2000));
      for (let i = 0; i < 4; i++) node.come(greedy(i), node.draws.between(0, 2000));
      node.run(12_000);
      const shares = means(node, 10_000);
      console.log(`5 Mbit/s, seed ${seed}: ${told(shares)}`);
      expect(Math.abs(sum(shares.values()) - 5e6), `seed ${seed}`).toBeLessThan(0.02 * 5e6);
      expect(shares.get('/live/small'), `seed ${seed}`).toBeGreaterThan(0.6e6 * 0.995);
      expect(node.stream('/live/small').ceiling, `seed ${seed}`).toBe(null);
      const greedies = [0, 1, 2, 3].map((i) => shares.get(`/live/greedy${i}`)!);
      expect(Math.max(...greedies) / Math.min(...greedies), `seed ${seed}`).toBeLessThan(1.05);
    }
  });

  it('what is left by those that go is taken by those that stay, and given back to those that come', () => {
    for (const seed of SEEDS) {
      const node = new GovernedNode({ seed, settings: { globalBps: 5e6 } });
      for (let i = 0; i < 4; i++) node.come(greedy(i), node.draws.between(0, 2000));
      node.run(15_000);
      node.leave('/live/greedy2');
      node.leave('/live/greedy3');
      node.run(10_000);
      const two = means(node, 10_000);
      expect(sum(two.values()), `seed ${seed}`).toBeGreaterThan(0.98 * 5e6);
      for (let i = 2; i < 4; i++) node.come(greedy(i));
      node.run(10_000);
      const four = [...means(node, 10_000).values()];
      expect(Math.max(...four) / Math.min(...four), `seed ${seed}`).toBeLessThan(1.05);
      expect(sum(four), `seed ${seed}`).toBeGreaterThan(0.98 * 5e6);
      node.leave('/live/greedy0');
      node.leave('/live/greedy1');
      node.leave('/live/greedy2');
      node.run(5000);
      expect(node.stream('/live/greedy3').ceiling, `seed ${seed}`).toBe(null);
    }
  });

  it('ceilings come to rest: they are not written again while nothing changes', () => {
    const node = new GovernedNode({ seed: 4, settings: { globalBps: 5e6 } });
    for (let i = 0; i < 4; i++) node.come(greedy(i));
    node.come(small);
    node.run(20_000);
    const before = node.streams.map(({ ceiling }) => ceiling);
    node.run(30_000);
    for (const [i, ceiling] of before.entries()) expect(node.streams[i]!.ceiling).toBe(ceiling);
  });
});

describe('a budget that is used up', () => {
  it('is kept while publishers come and go all the time', () => {
    for (const seed of SEEDS) {
      const node = new GovernedNode({ seed, settings: { globalBps: 50e6 } });
      let born = 0;
      let bits = 0;
      let worst = 0;
      const window: number[] = [];
      const come = () => {
        const bps = node.draws.between(0.5e6, 5e6);
        node.come({ path: `/live/cam${born++}`, bps }, node.draws.between(0, 500));
      };
      for (let i = 0; i < 30; i++) come();
      node.run(10_000);
      for (let second = 0; second < 120; second++) {
        const { path } = node.draws.pick(node.streams);
        node.leave(path);
        come();
        node.run(1000, () => {
          bits += node.totalBps * 0.05;
          window.push(node.totalBps);
          if (window.length > 40) window.shift();
          worst = Math.max(worst, window.reduce((sum, bps) => sum + bps, 0) / 40);
        });
      }
      console.log(
        `one comes and one goes each second, seed ${seed}: mean ${(bits / 120 / 1e6).toFixed(2)}`,
        `of 50 Mbit/s, worst two seconds ${(worst / 1e6).toFixed(2)}`,
      );
      expect(bits / 120 / 50e6, `seed ${seed}`).toBeLessThan(1.01);
      expect(bits / 120 / 50e6, `seed ${seed}`).toBeGreaterThan(0.9);
      expect(worst / 50e6, `seed ${seed}`).toBeLessThan(1.1);
    }
  });
});

describe('a budget that clients of different priority share', () => {
  it('is shared by weight, and a client with many streams gains nothing by that', () => {
    for (const seed of SEEDS) {
      const node = new GovernedNode({ seed, settings: { globalBps: 20e6 } });
      for (let i = 0; i < 6; i++) {
        node.come({ path: `/live/many${i}`, client: 'many', priority: 49, bps: 5e6 }, i * 100);
      }
      node.come({ path: '/live/one', client: 'one', priority: 49, bps: 9e6, limitBps: 9e6 });
      node.come({ path: '/live/vip', client: 'vip', priority: 99, bps: 12e6, limitBps: 12e6 });
      node.run(20_000);
      const shares = means(node, 10_000);
      const many = sum([0, 1, 2, 3, 4, 5].map((i) => shares.get(`/live/many${i}`)!));
      expect(many / shares.get('/live/one')!, `seed ${seed}`).toBeCloseTo(1, 1);
      expect(shares.get('/live/vip')! / many, `seed ${seed}`).toBeCloseTo(2, 1);
      expect(sum(shares.values()), `seed ${seed}`).toBeGreaterThan(0.98 * 20e6);
    }
  });

  it("a client's own budget squeezes its streams and nobody else's", () => {
    const node = new GovernedNode({ seed: 5, settings: { globalBps: 100e6 } });
    for (let i = 0; i < 3; i++) {
      node.come({ path: `/live/bound${i}`, client: 'bound', clientBps: 6e6, bps: 4e6 });
    }
    node.come({ path: '/live/free', client: 'free', bps: 4e6 });
    node.run(20_000);
    const shares = means(node, 5000);
    expect(shares.get('/live/free')).toBeCloseTo(4e6, -4);
    for (let i = 0; i < 3; i++) {
      expect(node.stream(`/live/bound${i}`).ceiling).toMatchObject({ by: 'client' });
      expect(shares.get(`/live/bound${i}`)! / 2e6).toBeCloseTo(0.995, 2);
    }
    expect(node.governor.snapshot(node.now).shares.squeezed).toEqual({ global: 0, client: 3, shed: 0 });
  });

  it('streams that cannot be held take theirs first, and the others what is left', () => {
    const node = new GovernedNode({ seed: 6, settings: { globalBps: 6e6 } });
    node.come({ path: '/live/exempt', bps: 2e6, exempt: true });
    node.come({ path: '/live/watched', bps: 1e6, governed: false });
    for (let i = 0; i < 3; i++) node.come({ path: `/live/greedy${i}`, bps: 3e6 });
    node.run(15_000);
    const shares = means(node, 5000);
    expect(shares.get('/live/exempt')! / 2e6).toBeCloseTo(1, 2);
    expect(shares.get('/live/watched')! / 1e6).toBeCloseTo(1, 2);
    for (let i = 0; i < 3; i++) expect(shares.get(`/live/greedy${i}`)! / 1e6).toBeCloseTo(0.99, 1);
    expect(node.stream('/live/exempt').ceiling).toBe(null);
    expect(node.stream('/live/watched').ceiling).toBe(null);
  });

  it('leaves everybody the floor, and lets nobody in whom it could not leave that', () => {
    const node = new GovernedNode({ seed: 7, settings: { globalBps: 640_000 } });
    for (let i = 0; i < 14; i++) node.come({ path: `/live/cam${i}`, bps: 1e6, priority: i * 7 }, i * 20);
    node.run(10_000);
    expect(node.streams.length).toBe(10);
    expect(node.refusals.map(({ denial }) => denial.reason)).toEqual(new Array(4).fill('global_bandwidth'));
    for (const { ceiling } of node.streams) expect(ceiling?.bps ?? 1e9).toBeGreaterThanOrEqual(64_000);
  });
});
