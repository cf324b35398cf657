import { describe, expect, it } from 'vitest';
import { PressureGate } from '../../src/core/pressure/gate.ts';
import type { Gauge } from '../../src/core/pressure/gauge.ts';
import { RESOURCES, type Resource } from '../../src/core/pressure/resources.ts';
import { Draws } from '../support/draws.ts';
import { RESOURCES_CONFIG } from './machine.ts';

/**
 * Levels under signals that are made to confuse them, on a virtual clock. The
 * resource is `cpu`: degrade 80 %, close 90 %, window 5 s, reopen_after 5 s.
 */

const PERIOD_MS = 250;
const MINUTE_MS = 60_000;
const REOPEN_MS = RESOURCES_CONFIG.reopen_after;
/** Two latches, each on and off once in a hold. */
const CHANGES_MAX = 4 * (MINUTE_MS / REOPEN_MS + 1);
const SEEDS = [11, 12, 13, 14, 15, 16, 17, 18];

type Signal = (now: number, gauge: Gauge) => number;

/** Runs a signal, and tells the most changes of level in any minute. */
function changesPerMinute(signal: Signal, forMs = 10 * MINUTE_MS): number {
  const gate = new PressureGate(RESOURCES_CONFIG, 0);
  const gauge = gate.gauge('cpu')!;
  const at: number[] = [];
  let most = 0;
  for (let now = PERIOD_MS; now <= forMs; now += PERIOD_MS) {
    const before = gauge.changes;
    gate.sample('cpu', Math.min(1, Math.max(0, signal(now, gauge))), now);
    for (let i = before; i < gauge.changes; i++) at.push(now);
    while (at[0] !== undefined && at[0] <= now - MINUTE_MS) at.shift();
    most = Math.max(most, at.length);
  }
  return most;
}

function noise(seed: number): () => number {
  const draws = new Draws(seed);
  return () => Math.sqrt(-2 * Math.log(1 - draws.unit())) * Math.cos(2 * Math.PI * draws.unit());
}

function mostOf(signalOf: (seed: number) => Signal): number {
  return Math.max(...SEEDS.map((seed) => changesPerMinute(signalOf(seed))));
}

describe('changes of level in a minute', () => {
  it.each([0.7, 0.75, 0.8, 0.85, 0.875, 0.9, 0.95])('are few at a load that hovers about %d', (load) => {
    const rows = [0.01, 0.03, 0.05, 0.1].map((spread) => {
      const changes = mostOf((seed) => {
        const draw = noise(seed);
        return () => load + spread * draw();
      });
      expect(changes, `spread ${spread}`).toBeLessThanOrEqual(12);
      return `${spread}: ${changes}`;
    });
    console.log(`level changes per minute about ${load}, by deviation of the noise: ${rows.join(', ')}`);
  });

  it('are none in five minutes at a mark with the noise of a busy machine', () => {
    for (const load of [0.8, 0.9]) {
      for (const seed of SEEDS) {
        const draw = noise(seed);
        const gate = new PressureGate(RESOURCES_CONFIG, 0);
        const gauge = gate.gauge('cpu')!;
        let settled = 0;
        for (let now = PERIOD_MS; now <= 6 * MINUTE_MS; now += PERIOD_MS) {
          gate.sample('cpu', load + 0.015 * draw(), now);
          if (now === MINUTE_MS) settled = gauge.changes;
        }
        expect(gauge.changes - settled, `load ${load}, seed ${seed}`).toBe(0);
      }
    }
  });

  it('are bounded for square waves of any period', () => {
    const rows = [500, 1000, 2000, 4000, 6000, 8000, 12_000, 20_000].map((periodMs) => {
      const changes = changesPerMinute((now) => (now % periodMs < periodMs / 2 ? 1 : 0));
      expect(changes, `period ${periodMs}`).toBeLessThanOrEqual(Math.min(CHANGES_MAX, 16));
      return `${periodMs} ms: ${changes}`;
    });
    console.log(`level changes per minute under square waves: ${rows.join(', ')}`);
  });

  it('are bounded for an adversary who sees the level and plays the marks against it', () => {
    const { close, degrade } = RESOURCES_CONFIG.cpu;
    const shut: Signal = (now, gauge) => (gauge.level(now) === 'critical' ? 0 : 1);
    const stairs: Signal = (now, gauge) => {
      const level = gauge.level(now);
      if (level === 'nominal') return degrade;
      return level === 'elevated' && now - gauge.since(now) < 2 * PERIOD_MS ? close : 0;
    };
    const drawn = mostOf((seed) => {
      const draws = new Draws(seed);
      const marks = [0, 0.74, 0.75, 0.8, 0.849, 0.85, 0.9, 1];
      return (now, gauge) => (gauge.level(now) === 'nominal' ? draws.between(0.8, 1) : draws.pick(marks));
    });
    const found = [changesPerMinute(shut), changesPerMinute(stairs), drawn];
    console.log(`level changes per minute, adversaries: ${found.join(', ')}; bound ${CHANGES_MAX}`);
    expect(Math.max(...found)).toBeLessThanOrEqual(CHANGES_MAX);
    expect(found[0]).toBeGreaterThan(10);
  });
});

/** Feeds a gate so many samples, a period apart, and returns the time then. */
function feed(
  gate: PressureGate,
  resource: Resource,
  values: readonly number[],
  from: number,
  periodMs: number,
) {
  values.forEach((value, i) => {
    gate.sample(resource, value, from + (i + 1) * periodMs);
  });
  return from + values.length * periodMs;
}

const times = (count: number, value: number) => new Array<number>(count).fill(value);

describe('a step', () => {
  it('over close shuts the gate within two sample periods, whatever was before and at whatever period', () => {
    for (const seed of SEEDS) {
      const draws = new Draws(seed);
      for (const resource of RESOURCES) {
        for (const periodMs of [100, 250, 500, 1000, 2000]) {
          const gate = new PressureGate(RESOURCES_CONFIG, 0);
          const { close } = RESOURCES_CONFIG[resource];
          const before = draws.between(0, 0.7) * close;
          const over = close * draws.between(1, 1.1);
          const steppedAt = feed(gate, resource, times(60, before), 0, periodMs);
          expect(gate.check(steppedAt, false)).toBeNull();
          const now = feed(gate, resource, times(2, over), steppedAt, periodMs);
          expect(gate.check(now, false)?.reason, `seed ${seed}`).toBe(`resource_${resource}`);
        }
      }
    }
  });

  it.each([0.1, 0.4, 0.6, 0.7])('down to %d opens the gate within reopen_after and a bound', (load) => {
    for (const seed of SEEDS) {
      const draw = noise(seed);
      const gate = new PressureGate(RESOURCES_CONFIG, 0);
      const endedAt = feed(gate, 'cpu', times(240, 1), 0, PERIOD_MS);
      let now = endedAt;
      while (gate.check(now, false) !== null) now = feed(gate, 'cpu', [load + 0.02 * draw()], now, PERIOD_MS);
      // The mean falls below the mark to leave after its part of the window.
      const fallMs = (RESOURCES_CONFIG.cpu.window ?? 0) * (0.15 / (1 - load));
      const bound = REOPEN_MS + fallMs + 3 * PERIOD_MS;
      expect(now - endedAt, `seed ${seed}`).toBeLessThanOrEqual(bound);
      expect(now - endedAt, `seed ${seed}`).toBeGreaterThanOrEqual(REOPEN_MS);
      if (seed === SEEDS[0]) console.log(`from 100 % to ${100 * load} %: open after ${now - endedAt} ms`);
    }
  });
});

describe('a load that follows the gate by seconds', () => {
  /** Streams come while the gate lets them, the fewer the higher the pressure, and their load lags. */
  function loop(seed: number, delayMs: number) {
    const draws = new Draws(seed);
    const gate = new PressureGate(RESOURCES_CONFIG, 0);
    const lag = new Array<number>(delayMs / PERIOD_MS).fill(0);
    const perSecond = 0.01;
    const lifeMs = 60_000;
    let load = 0.6;
    const seen: number[] = [];
    let changes = 0;
    for (let now = PERIOD_MS; now <= 10 * MINUTE_MS; now += PERIOD_MS) {
      const open = gate.check(now, false) === null ? 1 - gate.pressure(now) : 0;
      lag.push(perSecond * 1.6 * open);
      load += ((lag.shift() ?? 0) * PERIOD_MS) / 1000 - (load * PERIOD_MS) / lifeMs;
      for (const resource of RESOURCES) {
        gate.sample(resource, resource === 'cpu' ? load + draws.between(-0.02, 0.02) : 0.1, now);
      }
      if (now > 5 * MINUTE_MS) seen.push(load);
      if (now === 5 * MINUTE_MS) changes = gate.snapshot(now).changes;
    }
    return {
      swing: Math.max(...seen) - Math.min(...seen),
      peak: Math.max(...seen),
      changes: gate.snapshot(10 * MINUTE_MS).changes - changes,
    };
  }

  it.each([2000, 3000, 4000, 5000])('comes to rest between the marks: %d ms', (delayMs) => {
    for (const seed of SEEDS) {
      const { swing, peak, changes } = loop(seed, delayMs);
      expect(swing, `seed ${seed}`).toBeLessThan(0.03);
      expect(peak, `seed ${seed}`).toBeLessThan(0.9);
      expect(changes, `seed ${seed}`).toBe(0);
    }
  });
});
