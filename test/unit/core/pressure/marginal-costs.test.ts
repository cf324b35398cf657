import { describe, expect, it } from 'vitest';
import { MarginalCosts } from '../../../../src/core/pressure/marginal-costs.ts';
import { Draws } from '../../../support/draws.ts';

const BOUNDS = { floor: 0.0001, ceiling: 0.2 };
const PERIOD_MS = 250;

/** Sums of twelve draws are as good as normal. */
function normal(draws: Draws): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += draws.unit();
  return sum;
}

interface Course {
  readonly guesses: readonly number[];
  readonly costs: readonly number[];
  readonly noise?: number;
  /** streams of each class, all arrived, and what others take, at sample i */
  readonly streams: (i: number) => readonly number[];
  readonly others?: (i: number) => number;
  readonly samples: number;
}

function learn({
  guesses,
  costs,
  noise = 0.02,
  streams,
  others = () => 0.05,
  samples,
}: Course): MarginalCosts {
  const draws = new Draws(42);
  const learned = new MarginalCosts(guesses, BOUNDS);
  const still = new Float64Array(guesses.length);
  for (let i = 0; i < samples; i++) {
    const activity = Float64Array.from(streams(i));
    const total = costs.reduce((sum, cost, at) => sum + cost * activity[at]!, others(i));
    const seen = Math.min(1, Math.max(0, total + noise * normal(draws)));
    learned.sample(seen, activity, still, 1000 + i * PERIOD_MS);
  }
  return learned;
}

describe('what a stream costs', () => {
  it.each([0.3, 1, 3])('is found however wrong the guess was: %d times', (wrong) => {
    const learned = learn({
      guesses: [0.01 * wrong],
      costs: [0.01],
      streams: (i) => [Math.min(40, Math.floor(i / 4))],
      samples: 200,
    });
    expect(learned.mean(0)).toBeGreaterThan(0.008);
    expect(learned.mean(0)).toBeLessThan(0.012);
    expect(learned.deviation(0)).toBeLessThan(0.002);
    expect(learned.upper(0)).toBeGreaterThan(0.01);
    expect(learned.lower(0)).toBeLessThan(0.01);
  });

  it('is told apart by class when the classes do not come and go together', () => {
    const learned = learn({
      guesses: [0.01, 0.01],
      costs: [0.004, 0.02],
      streams: (i) => [i % 160 < 80 ? 30 : 5, i % 112 < 56 ? 20 : 2],
      samples: 2000,
    });
    expect(learned.mean(0)).toBeCloseTo(0.004, 3);
    expect(learned.mean(1)).toBeCloseTo(0.02, 3);
  });

  it('is not mistaken for what other processes burn while nothing of ours changes', () => {
    const learned = learn({
      guesses: [0.01],
      costs: [0.01],
      streams: (i) => [Math.min(30, i)],
      others: (i) => (i > 400 ? 0.05 + 0.3 * Math.sin(i / 40) ** 2 : 0.05),
      samples: 4000,
    });
    expect(learned.mean(0)).toBeGreaterThan(0.008);
    expect(learned.mean(0)).toBeLessThan(0.012);
  });

  it('survives a process that starts and stops in the middle of a storm', () => {
    const learned = learn({
      guesses: [0.01],
      costs: [0.01],
      streams: (i) => [Math.min(40, Math.floor(i / 2))],
      others: (i) => (i > 30 && i < 60 ? 0.4 : 0.05),
      samples: 120,
    });
    expect(learned.mean(0)).toBeGreaterThan(0.007);
    expect(learned.mean(0)).toBeLessThan(0.013);
  });

  it('stays within its bounds whatever is seen', () => {
    const nothing = learn({ guesses: [0.01], costs: [0], streams: (i) => [i % 40], samples: 500 });
    expect(nothing.mean(0)).toBeGreaterThanOrEqual(BOUNDS.floor);
    expect(nothing.mean(0)).toBeLessThan(0.0005);
    expect(nothing.lower(0)).toBe(BOUNDS.floor);
    const dear = new MarginalCosts([0.5], BOUNDS);
    expect([dear.mean(0), dear.upper(0)]).toEqual([BOUNDS.ceiling, BOUNDS.ceiling]);
  });

  it('is not thought lower because the machine has no more to give', () => {
    const learned = learn({
      guesses: [0.01],
      costs: [0.02],
      noise: 0.005,
      streams: (i) => [Math.min(200, Math.floor(i / 2))],
      samples: 1000,
    });
    expect(learned.mean(0)).toBeGreaterThan(0.018);
  });

  it('becomes uncertain again with time, up to what it was at first', () => {
    const learned = learn({ guesses: [0.01], costs: [0.01], streams: (i) => [i % 60], samples: 400 });
    const sure = learned.deviation(0);
    const still = new Float64Array(1);
    const startMs = 1000 + 400 * PERIOD_MS;
    for (let second = 1; second <= 8 * 3600; second++) {
      learned.sample(0.05, still, still, startMs + second * 1000);
    }
    expect(learned.deviation(0)).toBeGreaterThan(4 * sure);
    expect(learned.deviation(0)).toBeLessThanOrEqual(0.04);
    expect(learned.mean(0)).toBeCloseTo(0.01, 3);
  });
});

describe('a lull', () => {
  it('is remembered for a while when others rest, and not when streams leave', () => {
    const steady = { guesses: [0.01], costs: [0.01], noise: 0 };
    const rest = learn({
      ...steady,
      streams: () => [20],
      others: (i) => (i < 400 ? 0.3 : 0.1),
      samples: 404,
    });
    expect(rest.lull).toBeGreaterThan(0.1);
    const left = learn({ ...steady, streams: (i) => [i < 400 ? 20 : 5], others: () => 0.1, samples: 404 });
    expect(left.lull).toBeLessThan(0.05);
    const over = learn({
      ...steady,
      streams: () => [20],
      others: (i) => (i < 400 ? 0.3 : 0.1),
      samples: 500,
    });
    expect(over.lull).toBeLessThan(0.01);
  });
});

it('takes a clock that goes back, and long gaps, without losing its way', () => {
  const learned = learn({ guesses: [0.01], costs: [0.01], streams: (i) => [i % 60], samples: 400 });
  const activity = Float64Array.of(30);
  const still = new Float64Array(1);
  for (const now of [0, 1e12, 5, 1e12 + 1]) learned.sample(0.35, activity, still, now);
  expect(learned.mean(0)).toBeCloseTo(0.01, 2);
  expect(learned.deviation(0)).toBeLessThan(0.012);
});
