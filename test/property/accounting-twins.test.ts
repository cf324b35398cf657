import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KIND, type MessageMeta, ReferenceAccounting } from '../../src/core/meter/accounting.ts';
import { MODE, STREAM } from '../../src/core/meter/slab-layout.ts';
import { AccountingRig, type Place } from '../support/accounting-rig.ts';
import { Draws } from '../support/draws.ts';
import { NativeAccounting } from '../support/native-accounting.ts';

const STEPS = 2500;
const PLACES: readonly Place[] = ['bitrate', 'packets', 'fpsWall', 'fpsMedia', 'client', 'ip', 'global'];
const MODES = Object.keys(MODE) as (keyof typeof MODE)[];

/** What a control plane and a publisher might do next, with values drawn once for both twins. */
type Step = (rig: AccountingRig) => number | boolean;

function anyMessage(draws: Draws, dts: number): MessageMeta {
  const kind = draws.pick([KIND.AUDIO, KIND.VIDEO, KIND.VIDEO, KIND.VIDEO, KIND.DATA]);
  const allFrames = draws.pick([0, 1, 1, 1, 1, 2, 5, 255]);
  return {
    bytes: draws.chance(0.02) ? draws.whole(0, 4_000_000_000) : draws.whole(0, 40_000),
    kind,
    frames: draws.whole(0, allFrames),
    allFrames,
    keyframe: draws.chance(0.1),
    header: draws.chance(0.03),
    disposable: draws.chance(0.3),
    metadata: draws.chance(0.02),
    dts,
    packets: draws.chance(0.1) ? 0 : 1,
  };
}

function anySetting(draws: Draws) {
  return {
    intervalMs: draws.pick([0, Infinity, 1e-4, draws.unit(), draws.between(0, 100), 1 / 3]),
    tauMs: draws.pick([0, 1000, draws.between(0, 5000)]),
    debtMaxMs: draws.pick([0, 500, draws.between(0, 30_000), Infinity]),
  };
}

class Script {
  readonly #draws: Draws;
  #now = 0;
  #dts = 0;

  constructor(seed: number) {
    this.#draws = new Draws(seed);
  }

  setUp(): Step {
    const settings = PLACES.flatMap((place) =>
      [0, 1, 2, 3].map((slot) => [slot, place, anySetting(this.#draws)] as const),
    );
    const modes = [0, 1, 2, 3].map(() => this.#draws.pick(MODES));
    return (rig) => {
      for (const [slot, place, setting] of settings) rig.set(slot, place, setting);
      for (const [slot, mode] of modes.entries()) rig.mode(slot, mode);
      return 0;
    };
  }

  next(): Step {
    const draws = this.#draws;
    this.#now += draws.chance(0.01) ? draws.between(-20_000, 20_000) : draws.between(0, 30);
    this.#dts += draws.chance(0.02) ? draws.whole(-30_000, 30_000) : draws.whole(0, 40);
    if (this.#dts < 0) this.#dts = 0;
    const now = this.#now;
    const slot = draws.whole(0, 3);
    const what = draws.unit();
    if (what < 0.7) {
      const message = anyMessage(draws, this.#dts);
      return (rig) => rig.accounting.admit(slot, message, now);
    }
    if (what < 0.9) return (rig) => rig.accounting.settle(slot, now);
    if (what < 0.92) return (rig) => rig.accounting.owed(slot, now);
    if (what < 0.93) {
      const [bytes, packets] = [draws.whole(0, 40_000), draws.whole(0, 1)];
      return (rig) => {
        rig.accounting.refuse(slot, bytes, packets, now);
        return 0;
      };
    }
    if (what < 0.96) {
      const [bytes, packets, frames] = [draws.whole(0, 100_000), draws.whole(0, 90), draws.whole(0, 60)];
      return (rig) => rig.accounting.account(slot, bytes, packets, frames, now);
    }
    return this.#controlStep(slot);
  }

  #controlStep(slot: number): Step {
    const draws = this.#draws;
    const mode = draws.pick(MODES);
    const exempt = draws.chance(0.2);
    const place = draws.pick(PLACES);
    const setting = anySetting(draws);
    const node = draws.pick([-1, draws.whole(0, 18), 999]);
    const step = draws.whole(0, 5);
    return (rig) => {
      if (step === 0) rig.mode(slot, mode);
      else if (step === 1) rig.exempt(slot, exempt);
      else if (step === 5) rig.lossy(slot, exempt);
      else if (step === 2) rig.set(slot, place, setting);
      else if (step === 3) rig.write(slot, STREAM.EXCEEDED, 0);
      else rig.write(slot, STREAM.NODE_BITRATE + PLACES.indexOf(place), node);
      return 0;
    };
  }
}

function bits(numbers: Float64Array): string {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString('hex');
}

describe('the two accountings', () => {
  it('give the same answers and leave the same slab, to the last bit, whatever happens to them', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const script = new Script(seed);
        const reference = new AccountingRig((nodes, streams) => new ReferenceAccounting(nodes, streams));
        const native = new AccountingRig((nodes, streams) => new NativeAccounting(nodes, streams));
        const setUp = script.setUp();
        setUp(reference);
        setUp(native);
        for (let i = 0; i < STEPS; i++) {
          const step = script.next();
          const answer = step(native);
          const expected = step(reference);
          if (!Object.is(answer, expected)) expect.fail(`step ${i}: native ${answer}, reference ${expected}`);
        }
        expect(bits(native.streams)).toBe(bits(reference.streams));
        expect(bits(native.nodes)).toBe(bits(reference.nodes));
      }),
      { numRuns: 60 },
    );
  });
});
