import { describe, expect, it } from 'vitest';
import { GovernedNode } from './governed-node.ts';

/** A node that is starved of CPU: who suffers, in which order, and who comes back when. */

const SEEDS = [1, 2, 3, 4];
const PRIORITIES = [10, 50, 90];

/** Ten streams of each priority that cost six tenths of the machine together. */
function nodeOfThree(seed: number): GovernedNode {
  const node = new GovernedNode({ seed, cpuPerMbps: 0.6 / 90 });
  for (const priority of PRIORITIES) {
    for (let i = 0; i < 10; i++) {
      const path = `/live/p${priority}-${i}`;
      node.come({ path, priority, bps: 3e6, persistent: true }, node.draws.between(0, 2000));
    }
  }
  node.run(60_000);
  expect(node.streams.length, `seed ${seed}`).toBe(30);
  return node;
}

const live = (node: GovernedNode, priority: number) =>
  node.streams.filter((stream) => stream.priority === priority).length;

describe('a node starved of CPU', () => {
  it('sheds priority 10 before 50 before 90, and the highest is never held down', () => {
    const told: string[] = [];
    for (const seed of SEEDS) {
      const node = nodeOfThree(seed);
      const cutBefore = node.cuts.length;
      const seen: string[] = [];
      node.burner = 0.65;
      node.run(240_000, () => {
        const counts = PRIORITIES.map((priority) => live(node, priority)).join('/');
        if (seen.at(-1) !== counts) seen.push(counts);
        // As long as one of a priority runs whole, nobody above it is touched.
        for (const [low, high] of [
          [10, 50],
          [50, 90],
          [10, 90],
        ] as const) {
          const lowWhole = node.streams.some(({ priority, ceiling }) => priority === low && ceiling === null);
          const highHeld = node.streams.some(
            ({ priority, ceiling }) => priority === high && ceiling !== null,
          );
          expect(lowWhole && highHeld, `seed ${seed}: ${low} whole and ${high} held`).toBe(false);
        }
      });
      const cuts = node.cuts.slice(cutBefore).map(({ priority }) => priority);
      told.push(`${seed}: ${seen.join(' ')}, load ${(100 * node.load).toFixed(0)} %`);
      expect(cuts.length, `seed ${seed}`).toBeGreaterThan(5);
      expect(cuts, `seed ${seed}`).toEqual([...cuts].sort((a, b) => a - b));
      expect(live(node, 90), `seed ${seed}`).toBe(10);
      for (const stream of node.streams.filter(({ priority }) => priority === 90)) {
        expect(stream.held, `seed ${seed}`).toBe(0);
      }
      expect(node.load, `seed ${seed}`).toBeLessThan(0.92);
    }
    console.log(`starved, seed: live of 10/50/90 ${told.join('; ')}`);
  });

  it('never touches the protected share, however long it lasts', () => {
    for (const seed of SEEDS) {
      const node = nodeOfThree(seed);
      node.burner = 1;
      node.run(400_000);
      expect(live(node, 10) + live(node, 50), `seed ${seed}`).toBe(0);
      expect(live(node, 90), `seed ${seed}`).toBeGreaterThanOrEqual(6);
      const untouched = node.streams.filter(({ held }) => held === 0).length;
      expect(untouched, `seed ${seed}`).toBeGreaterThanOrEqual(6);
    }
  });

  it('gives back in reverse when it is over, and everybody who was cut is back at the first try', () => {
    for (const seed of SEEDS) {
      const node = nodeOfThree(seed);
      node.burner = 0.8;
      node.run(120_000);
      const cut = node.cuts.map(({ path }) => path);
      expect(cut.length, `seed ${seed}`).toBeGreaterThan(8);
      node.burner = 0;
      node.events.length = 0;
      node.run(1_800_000);
      const recovered = node.events
        .filter(({ kind }) => kind === 'recover')
        .map(({ facts }) => facts['priority']);
      expect(recovered, `seed ${seed}`).toEqual([...recovered].sort((a, b) => Number(b) - Number(a)));
      expect(node.streams.length, `seed ${seed}`).toBe(30);
      expect(
        node.streams.filter(({ ceiling }) => ceiling !== null),
        `seed ${seed}`,
      ).toEqual([]);
      const { shedding } = node.governor.snapshot(node.now);
      expect(shedding, `seed ${seed}`).toMatchObject({ active: false, cohorts: [], backoff_ms: 10_000 });
    }
  });

  it('keeps its word: told in the calm when to come, a publisher is let in then and not much earlier', () => {
    for (const seed of SEEDS) {
      const node = nodeOfThree(seed);
      node.burner = 0.8;
      node.run(90_000);
      const last = node.cuts.at(-1)!;
      node.burner = 0;
      node.run(1000);
      const newcomer = { ...last, protocol: 'rtmp', exempt: false, expectedBps: 3e6 } as const;
      const denial = node.governor.refusal(newcomer, node.now);
      expect(denial?.reason, `seed ${seed}`).toBe('shed');
      const waitMs = denial?.retryAfterMs ?? Number.NaN;
      node.run(Math.ceil((waitMs - 1500) / 50) * 50);
      expect(node.governor.refusal(newcomer, node.now)?.reason, `seed ${seed}`).toBe('shed');
      node.run(1550);
      expect(node.governor.refusal(newcomer, node.now), `seed ${seed}, after ${waitMs} ms`).toBe(null);
    }
  });

  it('does not shed more than it takes', () => {
    for (const seed of SEEDS) {
      const node = nodeOfThree(seed);
      node.burner = 0.45;
      node.run(180_000);
      // One tenth too much is less than the lowest priority has.
      expect(live(node, 50), `seed ${seed}`).toBe(10);
      expect(live(node, 90), `seed ${seed}`).toBe(10);
      expect(node.load, `seed ${seed}`).toBeGreaterThan(0.7);
    }
  });
});
