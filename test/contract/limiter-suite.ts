import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Limiter, NEVER, type RateLimit } from '../../src/core/limiter/limiter.ts';
import {
  instantBefore,
  limitOf,
  mostIn,
  mostInOwnWindow,
  overRate,
  play,
  rounding,
  script,
  UPTIME,
} from './limiter-script.ts';

/** A limiter whose rate can change live: every member of the family but `Concurrency`. */
export interface TunableLimiter extends Limiter {
  setRate(limit: RateLimit, now: number): void;
}

/**
 * What an implementation promises never to exceed: `rate` burst + W * rate in
 * any span W; `any-window` the count in any span of a period; `own-window`
 * the count in each window it opens.
 */
export type Guarantee = 'rate' | 'any-window' | 'own-window';

export interface Subject {
  readonly name: string;
  readonly guarantee: Guarantee;
  readonly make: (limit: RateLimit) => TunableLimiter;
}

/** A window counts up to one slice more than its period; nothing here is slower than this to refill. */
const REFILL_SLACK = 17 / 16;

function verdicts({ make }: Subject): void {
  it('lets the whole burst pass at once and then nothing', () => {
    const limiter = make({ count: 5, periodMs: 1000 });
    expect([1, 1, 1, 1, 1].map((cost) => limiter.take(cost, UPTIME))).toEqual([0, 0, 0, 0, 0]);
    expect(limiter.take(1, UPTIME)).toBeGreaterThan(0);
  });

  it('weighs costs', () => {
    const limiter = make({ count: 10, periodMs: 1000 });
    expect(limiter.take(7, UPTIME)).toBe(0);
    expect(limiter.peek(4, UPTIME)).toBeGreaterThan(0);
    expect(limiter.peek(3, UPTIME)).toBe(0);
    expect(limiter.take(2.5, UPTIME)).toBe(0);
    expect(limiter.peek(0.5, UPTIME)).toBe(0);
    expect(limiter.peek(0.75, UPTIME)).toBeGreaterThan(0);
  });

  it('says never for more than the burst, however long one waits, and not yet for the burst', () => {
    const limiter = make({ count: 5, periodMs: 1000 });
    expect(limiter.peek(5.001, UPTIME)).toBe(NEVER);
    expect(limiter.take(6, UPTIME + 1e8)).toBe(NEVER);
    limiter.take(1, UPTIME + 1e8);
    const wait = limiter.peek(5, UPTIME + 1e8);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThan(NEVER);
  });

  it('lets a cost of nothing pass even when exhausted, and counts it as nothing', () => {
    const limiter = make({ count: 1, periodMs: 1000 });
    limiter.take(1, UPTIME);
    const wait = limiter.peek(1, UPTIME);
    expect(wait).toBeGreaterThan(999);
    expect(limiter.take(0, UPTIME)).toBe(0);
    expect(limiter.peek(1, UPTIME)).toBe(wait);
  });

  it('treats a cost or a time that is no number as a mistake of the program', () => {
    const limiter = make({ count: 1, periodMs: 1000 });
    expect(() => limiter.take(-1, 0)).toThrow(RangeError);
    expect(() => limiter.peek(Number.NaN, 0)).toThrow(RangeError);
    expect(() => limiter.take(1, Number.NaN)).toThrow(RangeError);
    expect(limiter.take(1, 0)).toBe(0);
  });

  it('admits nothing at a rate of 0 and everything at an unlimited one', () => {
    expect(make({ count: 0, periodMs: 1000 }).take(1, UPTIME)).toBe(NEVER);
    const unlimited = make({ count: Number.POSITIVE_INFINITY, periodMs: 1000 });
    for (let i = 0; i < 100; i += 1) expect(unlimited.take(1e12, UPTIME)).toBe(0);
    expect(unlimited.remaining(UPTIME)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    { count: -1, periodMs: 1000 },
    { count: Number.NaN, periodMs: 1000 },
    { count: 1, periodMs: 0 },
    { count: 1, periodMs: Number.POSITIVE_INFINITY },
    { count: 1, periodMs: 1000, burst: 0 },
  ])('refuses a limit that means nothing: %o', (limit) => {
    expect(() => make(limit)).toThrow(RangeError);
  });
}

function promises({ make }: Subject): void {
  it('property: is denied until exactly the promised instant, then allowed', () => {
    fc.assert(
      fc.property(script, (played) => {
        const limiter = make(played.limit);
        play(played, played.limit.count, (cost, now) => {
          const verdict = limiter.take(cost, now);
          if (verdict !== 0) {
            const promised = now + verdict;
            expect(promised).toBeGreaterThan(now);
            expect(limiter.peek(cost, instantBefore(promised, now))).toBeGreaterThan(0);
            expect(limiter.peek(cost, promised)).toBe(0);
          }
          return verdict;
        });
      }),
      { numRuns: 300 },
    );
  });

  it('property: a caller who waits as told gets in at once, every time', () => {
    fc.assert(
      fc.property(limitOf, fc.integer({ min: 1, max: 50 }), (limit, turns) => {
        const limiter = make(limit);
        let now = UPTIME;
        for (let turn = 0; turn < turns; turn += 1) {
          now += limiter.peek(limit.count, now);
          expect(limiter.take(limit.count, now)).toBe(0);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('property: what remains is the most that passes', () => {
    fc.assert(
      fc.property(script, (played) => {
        const limiter = make(played.limit);
        play(played, played.limit.count, (cost, now) => {
          const remaining = limiter.remaining(now);
          expect(limiter.peek(remaining, now)).toBe(0);
          expect(limiter.peek(remaining + 1, now)).not.toBe(0);
          return limiter.take(cost, now);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('property: a peek gives the verdict of the take and changes nothing', () => {
    fc.assert(
      fc.property(script, fc.double({ min: 0, max: 5, noNaN: true }), (played, ahead) => {
        const watched = make(played.limit);
        const alone = make(played.limit);
        play(played, played.limit.count, (cost, now) => {
          watched.peek(cost / 2, now + ahead * played.limit.periodMs);
          watched.remaining(now);
          const peeked = watched.peek(cost, now);
          const taken = watched.take(cost, now);
          expect(peeked).toBe(taken);
          expect(taken).toBe(alone.take(cost, now));
          return taken;
        });
      }),
      { numRuns: 200 },
    );
  });
}

function guarantees({ make, guarantee }: Subject): void {
  it(`property: never admits more than its guarantee (${guarantee})`, () => {
    fc.assert(
      fc.property(script, (played) => {
        const { limit } = played;
        const limiter = make(limit);
        const asked = play(played, limit.count, (cost, now) => limiter.take(cost, now));
        const slack = rounding(limit, played.start);
        if (guarantee === 'rate') expect(overRate(asked, limit, limit.count)).toBeLessThanOrEqual(slack);
        if (guarantee === 'any-window') {
          // A period measured by subtracting two instants is short by their rounding.
          const spanMs = limit.periodMs - (played.start + 200 * limit.periodMs) * 2 ** -51;
          expect(mostIn(asked, spanMs)).toBeLessThanOrEqual(limit.count + slack);
        }
        if (guarantee === 'own-window') {
          expect(mostInOwnWindow(asked, limit.periodMs)).toBeLessThanOrEqual(limit.count + slack);
          expect(mostIn(asked, limit.periodMs)).toBeLessThanOrEqual(2 * limit.count + slack);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('property: n units at once are n times one unit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 40 })), {
          maxLength: 20,
        }),
        (count, asks) => {
          const atOnce = make({ count, periodMs: 1000 });
          const oneByOne = make({ count, periodMs: 1000 });
          let now = 1e6;
          for (const [waitMs, cost] of asks) {
            now += waitMs;
            const verdict = atOnce.take(cost, now);
            if (verdict !== 0) continue;
            for (let unit = 0; unit < cost; unit += 1) expect(oneByOne.take(1, now)).toBe(0);
            expect(oneByOne.remaining(now)).toBe(atOnce.remaining(now));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('admits at least 16/17 of its count to a steady source that asks too often', () => {
    const limiter = make({ count: 100, periodMs: 1000 });
    let admitted = 0;
    for (let now = 0; now < 100_000; now += 2) if (limiter.take(1, now) === 0) admitted += 1;
    expect(admitted).toBeGreaterThan((100 * 100 * 16) / 17 - 1);
    expect(admitted).toBeLessThanOrEqual(100 * 101);
  });
}

function clock({ make }: Subject): void {
  it.each([0.001, 5, 999, 1001, 3_600_000])(
    'a clock that goes back %d ms refunds nothing and locks nobody out',
    (backMs) => {
      const limiter = make({ count: 10, periodMs: 1000 });
      expect(limiter.take(10, UPTIME)).toBe(0);
      const then = UPTIME - backMs;
      const wait = limiter.take(10, then);
      expect(limiter.remaining(then)).toBe(0);
      expect(wait).toBeGreaterThanOrEqual(999.999);
      expect(wait).toBeLessThanOrEqual(1000 * REFILL_SLACK + 1000);
      expect(limiter.take(10, then + wait)).toBe(0);
    },
  );

  it('readings that swing between now and a little ago are not refunded each swing', () => {
    const limiter = make({ count: 100, periodMs: 1000 });
    let admitted = 0;
    for (let swing = 0; swing < 1000; swing += 1) {
      if (limiter.take(1, UPTIME) === 0) admitted += 1;
      if (limiter.take(1, UPTIME - 900) === 0) admitted += 1;
    }
    expect(admitted).toBe(100);
  });
}

function retuning({ make }: Subject): void {
  it('keeps what was consumed when the rate rises', () => {
    const limiter = make({ count: 10, periodMs: 1000 });
    limiter.take(10, UPTIME);
    limiter.setRate({ count: 25, periodMs: 1000 }, UPTIME);
    expect(limiter.remaining(UPTIME)).toBe(15);
  });

  it('is exhausted, and for one refill of the new limit at most, when the rate falls below what was consumed', () => {
    const limiter = make({ count: 1000, periodMs: 1000 });
    limiter.take(1000, UPTIME);
    limiter.setRate({ count: 10, periodMs: 2000 }, UPTIME);
    expect(limiter.remaining(UPTIME)).toBe(0);
    const wait = limiter.peek(10, UPTIME);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(2000 * REFILL_SLACK);
    expect(limiter.take(10, UPTIME + wait)).toBe(0);
  });

  it('closing it and opening it again refunds nothing', () => {
    const limiter = make({ count: 10, periodMs: 1000 });
    limiter.take(10, UPTIME);
    limiter.setRate({ count: 0, periodMs: 1000 }, UPTIME);
    expect(limiter.peek(1, UPTIME)).toBe(NEVER);
    limiter.setRate({ count: 10, periodMs: 1000 }, UPTIME + 1);
    expect(limiter.peek(10, UPTIME + 1)).toBeGreaterThan(900);
  });

  it('setting the same rate a thousand times a second neither starves nor refunds', () => {
    const limiter = make({ count: 100, periodMs: 1000 });
    let admitted = 0;
    for (let now = 0; now < 10_000; now += 1) {
      limiter.setRate({ count: 100, periodMs: 1000 }, now);
      if (limiter.take(1, now) === 0) admitted += 1;
    }
    expect(admitted).toBeGreaterThan((10 * 100 * 16) / 17 - 1);
    expect(admitted).toBeLessThanOrEqual(1100);
  });
}

/** What went wrong in other limiters, by what broke. */
function regressions({ make }: Subject): void {
  it('regression: refills truncated to whole units starved a busy caller', () => {
    const limiter = make({ count: 1000, periodMs: 1000 });
    let admitted = 0;
    for (let call = 0; call < 200_000; call += 1)
      if (limiter.take(1, UPTIME + call * 0.05) === 0) admitted += 1;
    expect(admitted).toBeGreaterThan((10_000 * 16) / 17);
  });

  it('regression: entries keyed by their timestamp let 5,000 of 5,000 pass in one millisecond', () => {
    const limiter = make({ count: 100, periodMs: 1000 });
    let admitted = 0;
    for (let call = 0; call < 5000; call += 1) if (limiter.take(1, UPTIME) === 0) admitted += 1;
    expect(admitted).toBe(100);
  });

  it('regression: a period under a second was rounded to zero and limited nothing', () => {
    const limiter = make({ count: 10, periodMs: 0.5 });
    expect(limiter.take(10, UPTIME)).toBe(0);
    expect(limiter.take(1, UPTIME)).toBeGreaterThan(0);
    expect(limiter.peek(10, UPTIME)).toBeGreaterThanOrEqual(0.4999);
    expect(limiter.take(10, UPTIME + 0.6)).toBe(0);
  });

  it('regression: state expired before its bucket was full again', () => {
    const limiter = make({ count: 2, periodMs: 86_400_000 });
    limiter.take(2, 0);
    expect(limiter.peek(2, 86_399_999)).toBeGreaterThan(0);
    expect(limiter.peek(2, 86_400_000 * REFILL_SLACK)).toBe(0);
  });

  it('regression: a denied attempt was charged, so that asking kept the caller out', () => {
    const limiter = make({ count: 5, periodMs: 1000 });
    limiter.take(5, 0);
    for (let now = 0; now < 1000; now += 1) limiter.take(5, now);
    expect(limiter.take(5, 1000 * REFILL_SLACK)).toBe(0);
  });

  it('regression: sums of intervals drifted after days of uptime', () => {
    const limit = { count: 999_983, periodMs: 1000 };
    const limiter = make(limit);
    let now = UPTIME;
    let units = 0;
    for (let turn = 0; turn < 20_000; turn += 1) {
      now += limiter.peek(7919, now);
      expect(limiter.take(7919, now)).toBe(0);
      units += 7919;
    }
    const fastest = ((units - limit.count) * limit.periodMs) / limit.count;
    expect(now - UPTIME).toBeGreaterThan(fastest - 0.01 - 2 * limit.periodMs);
    expect(now - UPTIME).toBeLessThan(fastest * REFILL_SLACK + 2 * limit.periodMs);
  });
}

/** The contract of the limiter port, for one implementation. */
export function limiterContract(subject: Subject): void {
  describe(`limiter contract: ${subject.name}`, () => {
    describe('verdicts', () => verdicts(subject));
    describe('promises', () => promises(subject));
    describe('guarantees', () => guarantees(subject));
    describe('clock', () => clock(subject));
    describe('change of rate', () => retuning(subject));
    describe('regressions', () => regressions(subject));
  });
}
