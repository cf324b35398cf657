import { describe, expect, it } from 'vitest';
import { type ShareClaim, shareOut } from '../../../../src/core/fairness/shares.ts';

const claim = (change: Partial<ShareClaim> = {}): ShareClaim => ({
  tier: '',
  client: 'a',
  weight: 1,
  limitBps: 6e6,
  observedBps: 2e6,
  floorBps: 64_000,
  clientBps: Number.POSITIVE_INFINITY,
  newcomer: false,
  ...change,
});

/** bits/s and who squeezes, claim by claim. */
function shared(claims: readonly ShareClaim[], globalBps: number): [number, string | null][] {
  const { bps, by } = shareOut(claims, globalBps);
  return claims.map((_, i) => [Math.round(bps[i]!), by[i] ?? null]);
}

const clients = (count: number, change: Partial<ShareClaim> = {}) =>
  Array.from({ length: count }, (_, i) => claim({ client: `c${i}`, ...change }));

describe('sharing a budget out', () => {
  it('gives everybody what it demands while there is enough', () => {
    expect(shared(clients(3), 100e6)).toEqual([
      [2.4e6, null],
      [2.4e6, null],
      [2.4e6, null],
    ]);
  });

  it('splits what there is evenly among those that want more', () => {
    expect(shared(clients(4, { observedBps: 2.66e6 }), 5e6)).toEqual(new Array(4).fill([1.25e6, 'global']));
  });

  it('leaves whole whoever needs less, and shares out again what that one does not use', () => {
    const [small, ...greedy] = shared(
      [claim({ client: 'small', observedBps: 0.6e6 }), ...clients(4, { observedBps: 2.66e6 })],
      5e6,
    );
    expect(small).toEqual([0.72e6, null]);
    for (const [bps, by] of greedy) {
      expect(by).toBe('global');
      expect(Math.abs(bps - 1.1e6)).toBeLessThan(0.002e6);
    }
  });

  it('shares out what a crowd of quiet streams does not use, too', () => {
    const quiet = Array.from({ length: 40 }, (_, i) => claim({ client: `q${i}`, observedBps: 20_000 }));
    const shares = shared([...quiet, ...clients(4, { observedBps: 2.66e6 })], 5e6);
    for (const [bps, by] of shares.slice(0, 40)) {
      expect(bps).toBe(64_000);
      expect(by).toBeNull();
    }
    for (const [bps, by] of shares.slice(40)) {
      expect(bps / 1.05e6).toBeCloseTo(1, 3);
      expect(by).toBe('global');
    }
  });

  it('gives a claim to a high limit nothing that is not sent', () => {
    const [modest, vain] = shared(
      [claim({ client: 'modest', limitBps: 3e6 }), claim({ client: 'vain', limitBps: 1e9 })],
      3e6,
    );
    expect(modest?.[0]).toBe(vain?.[0]);
  });

  it('weighs clients, not their streams', () => {
    const crowd = Array.from({ length: 9 }, () => claim({ client: 'crowd' }));
    const shares = shared([...crowd, claim({ client: 'one', observedBps: 9e6, limitBps: 9e6 })], 8e6);
    const sum = shares.slice(0, 9).reduce((total, [bps]) => total + bps, 0);
    expect(sum / 4e6).toBeCloseTo(1, 3);
    expect(shares.at(-1)?.[0]).toBe(4e6);
  });

  it('gives a client of twice the weight twice as much, whatever tier it is in', () => {
    const [a, b, c] = shared(
      [
        claim({ client: 'a', tier: 'x', observedBps: 6e6 }),
        claim({ client: 'b', tier: 'x', observedBps: 6e6 }),
        claim({ client: 'c', tier: 'y', observedBps: 6e6, weight: 2 }),
      ],
      4e6,
    );
    expect([a?.[0], b?.[0], c?.[0]]).toEqual([1e6, 1e6, 2e6]);
  });

  it("holds a client's streams to its own budget, and says so", () => {
    const bound = [claim({ client: 'b', clientBps: 3e6 }), claim({ client: 'b', clientBps: 3e6 })];
    expect(shared([...bound, claim({ client: 'free' })], 100e6)).toEqual([
      [1.5e6, 'client'],
      [1.5e6, 'client'],
      [2.4e6, null],
    ]);
  });

  it("gives what a stream does not use of its client's budget to others of that client", () => {
    const claims = [
      ...new Array(4).fill(claim({ clientBps: 5e6, observedBps: 1.1e6 })),
      claim({ clientBps: 5e6, observedBps: 0.6e6 }),
    ];
    const shares = shared(claims, 2e9);
    expect(shares.at(-1)).toEqual([0.72e6, null]);
    for (const [bps, by] of shares.slice(0, 4)) {
      expect(bps / 1.1e6).toBeCloseTo(1, 2);
      expect(by).toBe('client');
    }
  });

  it('takes a newcomer at its limit: what it sends says nothing yet', () => {
    const [, newcomer] = shared(
      [claim({ client: 'old', observedBps: 6e6 }), claim({ client: 'new', observedBps: 0, newcomer: true })],
      4e6,
    );
    expect(newcomer).toEqual([2e6, 'global']);
  });

  it('lets what cannot be held have what it sends', () => {
    const fixed = claim({ client: 'fixed', observedBps: 3e6, limitBps: 3e6, floorBps: 3e6 });
    const [first, second] = shared([fixed, claim({ client: 'other', observedBps: 4e6 })], 4e6);
    expect(first).toEqual([3e6, null]);
    expect(second).toEqual([1e6, 'global']);
  });

  it('scales floors down together where not even they fit', () => {
    for (const [bps] of shared(clients(10, { floorBps: 1e6 }), 5e6)) expect(bps).toBe(0.5e6);
  });

  it.each([
    ['the budget', 1.5e6, Number.POSITIVE_INFINITY, 'global'],
    ["a client's budget", 1e9, 1.5e6, 'client'],
  ] as const)(
    'where floors do not fit into %s gives those of quiet streams to others',
    (_what, globalBps, clientBps, by) => {
      const quiet = Array.from({ length: 40 }, () => claim({ clientBps, observedBps: 20_000 }));
      const greedy = Array.from({ length: 4 }, () => claim({ clientBps, observedBps: 2.66e6 }));
      const shares = shared([...quiet, ...greedy], globalBps);
      for (const share of shares.slice(0, 40)) expect(share).toEqual([24_000, null]);
      for (const share of shares.slice(40)) {
        expect(share[0] / 175_000).toBeCloseTo(1, 1);
        expect(share[1]).toBe(by);
      }
    },
  );

  it('of nothing makes nothing', () => {
    expect(shared([], 5e6)).toEqual([]);
    expect(shared(clients(2), 0).map(([bps]) => bps)).toEqual([0, 0]);
  });
});
