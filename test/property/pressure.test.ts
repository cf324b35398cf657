import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextBelow } from '../../src/core/limiter/instants.ts';
import { CostModel } from '../../src/core/pressure/cost-model.ts';
import { PressureGate } from '../../src/core/pressure/gate.ts';
import { PRESSURE_LEVELS } from '../../src/core/pressure/levels.ts';
import { type Reservation, ReservationLedger } from '../../src/core/pressure/reservation-ledger.ts';
import { RESOURCES, type Resource, type ResourcesConfig } from '../../src/core/pressure/resources.ts';

/** Any sequence of samples, at any period, that a sampler could give. */
const CONFIG: ResourcesConfig = {
  cpu: { degrade: 0.8, close: 0.9, window: 5000 },
  heap: { degrade: 0.75, close: 0.85 },
  memory: { degrade: 0.8, close: 0.9 },
  event_loop: { degrade: 50, close: 200 },
  reopen_after: 5000,
};

interface Sampled {
  readonly afterMs: number;
  readonly value: number;
  readonly more: number;
}

/** Most values lie about the marks, where decisions are made. */
const value = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0.7, max: 0.95, noNaN: true }),
);
const samples = fc.array(
  fc.record<Sampled>({
    afterMs: fc.oneof(fc.constant(250), fc.integer({ min: 1, max: 6000 })),
    value,
    more: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.3, noNaN: true })),
  }),
  { minLength: 2, maxLength: 300 },
);
const resource = fc.constantFrom<Resource>(...RESOURCES);

/** The unit of the event loop is another. */
const inUnit = (name: Resource, fraction: number) => (name === 'event_loop' ? fraction * 250 : fraction);

describe('pressure', () => {
  it('is monotone: whoever is pressed nowhere less stands nowhere lower, at a sample or between two', () => {
    fc.assert(
      fc.property(resource, samples, (name, sequence) => {
        const [mild, hard] = [new PressureGate(CONFIG, 0), new PressureGate(CONFIG, 0)];
        let now = 0;
        for (const { afterMs, value, more } of sequence) {
          for (const at of [now + afterMs / 3, now + afterMs]) {
            if (at === now + afterMs) {
              mild.sample(name, inUnit(name, value), at);
              hard.sample(name, inUnit(name, value + more), at);
            }
            const [low, high] = [mild.gauge(name)!, hard.gauge(name)!];
            expect(PRESSURE_LEVELS.indexOf(high.level(at))).toBeGreaterThanOrEqual(
              PRESSURE_LEVELS.indexOf(low.level(at)),
            );
            expect(high.strain(at)).toBeGreaterThanOrEqual(low.strain(at) - 1e-12);
            expect(high.closedUntilMs).toBeGreaterThanOrEqual(low.closedUntilMs);
          }
          now += afterMs;
        }
      }),
    );
  });

  it('changes level a bounded number of times, whatever the samples', () => {
    fc.assert(
      fc.property(resource, samples, (name, sequence) => {
        const gate = new PressureGate(CONFIG, 0);
        const gauge = gate.gauge(name)!;
        let now = 0;
        for (const { afterMs, value } of sequence) {
          now += afterMs;
          gate.sample(name, inUnit(name, value), now);
        }
        // Each of two latches goes on and off once in a hold; silence and the start make it elevated.
        expect(gauge.changes).toBeLessThanOrEqual(4 * (Math.floor(now / CONFIG.reopen_after) + 1) + 1);
      }),
    );
  });

  it('promises honestly: shut until the promised instant, open at it', () => {
    fc.assert(
      fc.property(
        resource,
        samples,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (name, sequence, part) => {
          const gate = new PressureGate(CONFIG, 0);
          let now = 0;
          for (const { afterMs, value, more } of sequence) {
            now += afterMs;
            gate.sample(name, inUnit(name, value + more), now);
            const denial = gate.check(now, false);
            if (denial === null) continue;
            const { retryAfterMs } = denial;
            expect(retryAfterMs).toBeGreaterThan(0);
            expect(retryAfterMs).toBeLessThanOrEqual(CONFIG.reopen_after);
            expect(gate.check(now + part * retryAfterMs, false)).not.toBeNull();
            expect(gate.check(nextBelow(now + retryAfterMs), false)).not.toBeNull();
            expect(gate.check(now + retryAfterMs, false)).toBeNull();
          }
        },
      ),
    );
  });
});

describe('the ledger of reservations', () => {
  const step = fc.oneof(
    fc.record({ op: fc.constant('open' as const), index: fc.nat(17) }),
    fc.record({
      op: fc.constant('observe' as const),
      at: fc.nat(40),
      bps: fc.double({ min: 0, max: 2e7, noNaN: true }),
    }),
    fc.record({ op: fc.constant('release' as const), at: fc.nat(40) }),
    fc.record({ op: fc.constant('wait' as const), ms: fc.nat(4000) }),
    fc.record({ op: fc.constant('expire' as const) }),
  );

  it('comes back to exactly nothing, and never holds less than nothing or more than all it let in', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const model = new CostModel({ cores: 2 });
        const ledger = new ReservationLedger(model);
        const open: Reservation[] = [];
        const kept = () => [ledger.reservedCpu(), ledger.reservedBytes(), ledger.reservedBps()];
        let now = 0;
        for (const next of steps) {
          if (next.op === 'wait') now += next.ms;
          if (next.op === 'expire') ledger.expire(now);
          if (next.op === 'open') open.push(ledger.open(next.index, now));
          const stream = 'at' in next ? open[next.at % Math.max(1, open.length)] : undefined;
          if (next.op === 'observe') stream?.observe(next.bps, next.bps / 2, now);
          if (next.op === 'release') stream?.release();
          const live = open.filter(({ held }) => held);
          const most = live.reduce((sum, { index }) => sum + model.cpu(index), 0);
          for (const sum of kept()) expect(sum).toBeGreaterThanOrEqual(0);
          expect(ledger.reservedCpu()).toBeLessThanOrEqual(most + 1e-12);
          expect(ledger.pending).toBeLessThanOrEqual(live.length);
        }
        for (const stream of open) stream.release();
        expect(kept()).toEqual([0, 0, 0]);
        expect(ledger.pending).toBe(0);
        expect([...ledger.moving, ...ledger.live, ...ledger.cpu].every((sum) => sum === 0)).toBe(true);
      }),
    );
  });
});
