import { PROTOCOLS, type Protocol } from '../stream.ts';
import { MarginalCosts } from './marginal-costs.ts';
import { Typical } from './typical.ts';

/**
 * What a stream will cost, told by what is known of it before it sends: its
 * protocol and the bitrate to expect. Streams alike in both make a class, and
 * each class learns from those that run: CPU from how the machine's total
 * rises and falls with them, memory and bandwidth from what each one shows of
 * itself.
 */

/** Upper ends of the bitrate classes, bits/s: audio only, SD, HD, full HD, and all above; streams of unknown bitrate have one of their own. */
const CLASS_ENDS_BPS = [500_000, 2_000_000, 5_000_000, 10_000_000, Number.POSITIVE_INFINITY] as const;

/** A bitrate from the middle of each class, and for unknown ones what most encoders are set to. bits/s. */
const CLASS_TYPICAL_BPS = [200_000, 1_200_000, 3_000_000, 7_000_000, 15_000_000, 3_000_000] as const;

const UNKNOWN = CLASS_ENDS_BPS.length;
const BITRATE_CLASSES = CLASS_TYPICAL_BPS.length;
export const COST_CLASSES = PROTOCOLS.length * BITRATE_CLASSES;

/** First guess: CPU seconds per second and Mbit/s, measured without players. */
const CPU_PER_MBPS: Readonly<Record<Protocol, number>> = { rtmp: 0.0003, rtmps: 0.0005, srt: 0.0009 };

/** First guess: CPU seconds per second that a stream costs at any bitrate, for its messages and its control. */
const CPU_PER_STREAM = 0.0003;

/** First guess: bytes of sockets and state per stream, beside the media kept for players. */
const MEMORY_PER_STREAM_BYTES = 512 * 1024;

/** First guess: media kept for players, as time at the bitrate, seconds: two keyframe intervals of common length. */
const MEMORY_KEPT_S = 4;

/** Bounds of any estimate of CPU, as fractions of the machine: never free, and never so much that nobody could be tried. */
const CPU_BOUNDS = { floor: 1e-5, ceiling: 0.2 } as const;

/** Bounds of any estimate of memory, bytes. */
const MEMORY_FLOOR_BYTES = 64 * 1024;
const MEMORY_CEILING_BYTES = 64 * 1024 * 1024;

/** Bounds of any estimate of bandwidth, bits/s. */
const BANDWIDTH_FLOOR_BPS = 16_000;
const BANDWIDTH_CEILING_BPS = 200_000_000;

export interface CostModelOptions {
  /** processors of the machine, fractions welcome (a quota): the guesses are in seconds of one */
  readonly cores: number;
  /** in place of the built-in guess: CPU of one stream of each class, as a fraction of the machine */
  readonly cpuGuess?: (protocol: Protocol, typicalBps: number) => number;
}

/** What is known of one class, for people. */
export interface ClassCost {
  readonly protocol: Protocol;
  /** upper end of its bitrates, bits/s; Infinity = all above, null = unknown before */
  readonly upToBps: number | null;
  /** fraction of the machine, and how far off that may be */
  readonly cpu: number;
  readonly cpuDeviation: number;
  readonly memoryBytes: number;
  readonly bandwidthBps: number;
}

export class CostModel {
  readonly #cpu: MarginalCosts;
  readonly #memory: readonly Typical[];
  readonly #bandwidth: readonly Typical[];

  constructor({ cores, cpuGuess }: CostModelOptions) {
    const builtIn = (protocol: Protocol, bps: number) =>
      (CPU_PER_STREAM + (CPU_PER_MBPS[protocol] * bps) / 1e6) / cores;
    const guess = cpuGuess ?? builtIn;
    const classes = Array.from({ length: COST_CLASSES }, (_, index) => ({
      protocol: protocolOf(index),
      bps: CLASS_TYPICAL_BPS[index % BITRATE_CLASSES]!,
    }));
    this.#cpu = new MarginalCosts(
      classes.map(({ protocol, bps }) => guess(protocol, bps)),
      CPU_BOUNDS,
    );
    this.#memory = classes.map(({ bps }) => new Typical(MEMORY_PER_STREAM_BYTES + (MEMORY_KEPT_S * bps) / 8));
    this.#bandwidth = classes.map(({ bps }) => new Typical(bps));
  }

  /** The class of a stream, 0..COST_CLASSES - 1. `expectedBps`: what it sent before, or its limit; null or Infinity = unknown. */
  classOf(protocol: Protocol, expectedBps: number | null): number {
    const known = expectedBps !== null && Number.isFinite(expectedBps);
    const bitrate = known ? CLASS_ENDS_BPS.findIndex((endBps) => expectedBps <= endBps) : UNKNOWN;
    return PROTOCOLS.indexOf(protocol) * BITRATE_CLASSES + bitrate;
  }

  /** CPU to keep free for a stream that has not shown its load, fraction of the machine. */
  cpu(index: number): number {
    return this.#cpu.upper(index);
  }

  /** CPU that a stream costs at least, fraction of the machine: at this price a single one may be tried. */
  cpuAtLeast(index: number): number {
    return this.#cpu.lower(index);
  }

  /** Memory to keep free for a stream that has not shown its use, bytes. */
  memoryBytes(index: number): number {
    return Math.min(MEMORY_CEILING_BYTES, Math.max(MEMORY_FLOOR_BYTES, this.#memory[index]!.upper));
  }

  /** Bandwidth to keep free for a stream that has not shown its rate, bits/s. */
  bandwidthBps(index: number): number {
    return Math.min(BANDWIDTH_CEILING_BPS, Math.max(BANDWIDTH_FLOOR_BPS, this.#bandwidth[index]!.upper));
  }

  /** Memory and bandwidth that most streams of a class come to. */
  typicalMemoryBytes(index: number): number {
    return this.#memory[index]!.mean;
  }

  typicalBps(index: number): number {
    return this.#bandwidth[index]!.mean;
  }

  /** CPU of the machine at this activity, fraction: stands in for a sampler that fails. */
  expectedCpu(activity: Float64Array): number {
    return this.#cpu.expected(activity) + this.#cpu.lull;
  }

  /**
   * Learns from one sample of the machine's CPU, unsmoothed, with `activity[i]`
   * streams' worth of class i running, `moving[i]` of its streams on their way.
   */
  learnCpu(fraction: number, activity: Float64Array, moving: Float64Array, now: number): void {
    this.#cpu.sample(fraction, activity, moving, now);
  }

  /** Learns from one stream that has come to its full load. */
  learnOwn(index: number, ownBps: number, ownBytes: number): void {
    this.#bandwidth[index]!.observe(ownBps);
    this.#memory[index]!.observe(ownBytes);
  }

  describe(index: number): ClassCost {
    const bitrate = index % BITRATE_CLASSES;
    return {
      protocol: protocolOf(index),
      upToBps: bitrate === UNKNOWN ? null : CLASS_ENDS_BPS[bitrate]!,
      cpu: this.#cpu.mean(index),
      cpuDeviation: this.#cpu.deviation(index),
      memoryBytes: this.typicalMemoryBytes(index),
      bandwidthBps: this.typicalBps(index),
    };
  }
}

function protocolOf(index: number): Protocol {
  return PROTOCOLS[Math.floor(index / BITRATE_CLASSES)]!;
}
