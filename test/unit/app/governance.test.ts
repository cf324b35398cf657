import { expect, test } from 'vitest';
import { Governance, type Governed } from '../../../src/app/governance.ts';
import type { Telemetry } from '../../../src/app/telemetry.ts';
import { defaultConfig } from '../../../src/config/schema.ts';
import { chargeNode } from '../../../src/core/meter/gcra-node.ts';
import { bandwidthRate } from '../../../src/core/meter/node-rate.ts';
import { Slab } from '../../../src/core/meter/slab.ts';
import { nodeAt } from '../../../src/core/meter/slab-layout.ts';
import type { Ceiling } from '../../../src/core/stream.ts';
import { Budgets } from '../../../src/ingest/budgets.ts';
import { monotonicMs } from '../../../src/lib/clock.ts';
import { FakeStream } from '../control/governor-rig.ts';

/** The loop closed over a real budget: sources that would send all the time, each paused while it owes. */

const TICK_MS = 50;
const ROUND_MS = 250;
/** What is seen of a stream is its mean over so many ticks. */
const SEEN_TICKS = 40;

class Source extends FakeStream {
  readonly wishBps: number;
  pausedUntil = 0;
  readonly #sent: number[] = [];
  bits = 0;

  constructor(path: string, wishBps: number, exempt = false) {
    super(path, { exempt, observed: 0, startedAt: monotonicMs() });
    this.wishBps = wishBps;
  }

  send(charge: (bytes: number) => number, now: number): void {
    const free = this.exempt || now >= this.pausedUntil;
    const bps = free ? Math.min(this.wishBps, this.ceiling?.bps ?? this.wishBps) : 0;
    if (bps > 0) this.pausedUntil = now + charge((bps * TICK_MS) / 8000);
    this.sent((bps * TICK_MS) / 1000);
  }

  /** So much in this tick. */
  protected sent(bits: number): void {
    this.bits += bits;
    this.#sent.push((bits * 1000) / TICK_MS);
    if (this.#sent.length > SEEN_TICKS) this.#sent.shift();
    this.observed = this.#sent.reduce((sum, each) => sum + each, 0) / SEEN_TICKS;
  }
}

/** Bits/s at which what TCP has kept back comes in, once it is read again. */
const LINE_BPS = 40e6;

/**
 * An encoder behind TCP under its own limit and ceiling, whose burst it has as soon as that is raised: what it is kept from
 * sending waits, and comes in at once when it is read again.
 */
class Encoder extends Source {
  readonly #slab = new Slab({ streams: 1, sharedNodes: 1 });
  readonly #own = this.#slab.takeNode(bandwidthRate(this.limit))!;
  #waitingBits = 0;
  #now = 0;

  override setCeiling(ceiling: Ceiling | null): void {
    super.setCeiling(ceiling);
    this.#slab.setRate(this.#own, bandwidthRate(Math.min(this.limit, ceiling?.bps ?? this.limit)), this.#now);
  }

  override pressing(): boolean {
    return this.ceiling !== null && this.pausedUntil > this.#now;
  }

  override send(charge: (bytes: number) => number, now: number): void {
    this.#now = now;
    this.#waitingBits = Math.min(this.#waitingBits + (this.wishBps * TICK_MS) / 1000, 4 * this.wishBps);
    const owed = chargeNode(this.#slab.nodes, nodeAt(this.#own, 0), 0, now);
    let bits = 0;
    // In slices, as a throttled publisher is read.
    while (now >= this.pausedUntil && owed <= 0 && bits < (LINE_BPS * TICK_MS) / 1000) {
      const slice = Math.min(this.#waitingBits, 100_000);
      if (slice === 0) break;
      this.#waitingBits -= slice;
      bits += slice;
      const ownMs = chargeNode(this.#slab.nodes, nodeAt(this.#own, 0), slice / 8, now);
      this.pausedUntil = now + Math.max(ownMs, charge(slice / 8));
    }
    this.sent(bits);
  }
}

/** Mean bits/s of each over ten seconds, once they have settled. */
function settled(sources: readonly Source[], budgetBps: number): number[] {
  const { limits, ...rest } = defaultConfig();
  const config = { ...rest, limits: { ...limits, global: { ...limits.global, max_bandwidth: budgetBps } } };
  const slab = new Slab({ streams: 1, sharedNodes: 1 });
  const budgets = new Budgets(slab, budgetBps);
  const governed = {
    registry: { all: () => sources },
    budgets,
    admission: { setConnectionRateFactor() {} },
    desk: { cut() {} },
    engine: { engine: { stats: () => ({ gopBytes: 0, pendingBytes: 0 }), giveBack: () => false } },
  } as unknown as Governed;
  const telemetry = {
    audit: { act() {} },
    logger: { info() {}, warn() {} },
    decisions: { tallied: () => ({ denied: {}, admitted: { count: 0, seconds: 0 } }) },
  } as unknown as Telemetry;
  const governance = new Governance(config, telemetry, governed);
  let now = monotonicMs();
  const run = (forMs: number) => {
    for (let ms = 0; ms < forMs; ms += TICK_MS) {
      now += TICK_MS;
      for (const source of sources) {
        const charge = (bytes: number) => chargeNode(slab.nodes, nodeAt(budgets.global, 0), bytes, now);
        source.send(charge, now);
      }
      if (ms % ROUND_MS === 0) governance.step(now);
    }
  };
  run(60_000);
  for (const source of sources) source.bits = 0;
  run(10_000);
  return sources.map(({ bits }) => bits / 10);
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

const greedy = (count: number, bps: number) =>
  Array.from({ length: count }, (_, i) => new Source(`/live/greedy${i}`, bps));

test('shares that fit into the budget use it up, and those within theirs are not slowed by what was owed', () => {
  const rates = settled([...greedy(4, 2.66e6), new Source('/live/small', 0.6e6)], 5e6);
  expect(Math.abs(sum(rates) / 5e6 - 1)).toBeLessThan(0.02);
  expect(rates[4]! / 0.6e6).toBeCloseTo(1, 2);
  expect(Math.max(...rates.slice(0, 4)) / Math.min(...rates.slice(0, 4))).toBeLessThan(1.05);
});

test('a burst and the pause that follows it lift no share: the next burst would come with that', () => {
  const rates = settled(
    [new Encoder('/live/a', 5e6), new Encoder('/live/b', 5e6), new Source('/live/small', 0.264e6)],
    5e6,
  );
  expect(Math.abs(sum(rates) / 5e6 - 1)).toBeLessThan(0.03);
  expect(Math.max(rates[0]!, rates[1]!) / Math.min(rates[0]!, rates[1]!)).toBeLessThan(1.05);
  expect(rates[2]! / 0.264e6).toBeCloseTo(1, 2);
});

test('floors that do not fit into the budget do not make it pass more', () => {
  expect(sum(settled(greedy(40, 64_000), 1.5e6)) / 1.5e6).toBeLessThan(1.02);
});

test.each([
  ['more than', 1.4e6],
  ['almost all of', 0.96e6],
])('nor do streams that are exempt and send %s it', (_which, exemptBps) => {
  const rates = settled([new Source('/live/exempt', exemptBps, true), ...greedy(10, 0.5e6)], 1e6);
  expect(rates[0]! / exemptBps).toBeCloseTo(1, 2);
  // Nobody is made to wait for more than ten seconds: so often each of the others sends a little all the same.
  expect(sum(rates)).toBeLessThan(Math.max(1e6, exemptBps) + 30_000);
});
