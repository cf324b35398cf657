import type { OnExceed, StreamLimits } from '../limits.ts';
import { CONSTRAINTS, type Constraint } from '../meter/slab-layout.ts';
import type { Reason } from '../reasons.ts';
import type { Squeezer } from '../stream.ts';

/**
 * From "this packet exceeded" to "this is what we do about it".
 *
 * The data plane only sets a bit per constraint. A few times a second the
 * control loop hands those bits to one `Enforcement` per stream, which joins
 * single excesses into *episodes*: an episode opens with the first excess of a
 * constraint and closes once the constraint has been quiet for `QUIET_MS`. An
 * episode is what a person wants to hear about: it gets one receipt, one log
 * line and, when it lasts longer than `grace`, ends in a cut.
 */

/** An excess this long ago no longer counts as going on: the averaging window of the default bitrate. */
const QUIET_MS = 2_000;

/** Bits of EXCEEDED that concern the stream's own limits, and so may end in a cut. */
const OWN_MASK = 0b1111;

const REASON_OF: Readonly<Record<Constraint, Reason>> = {
  stream_bitrate: 'stream_bitrate',
  stream_packet_rate: 'stream_packet_rate',
  stream_fps_wall: 'stream_fps',
  stream_fps_media: 'stream_fps',
  client_bandwidth: 'client_bandwidth',
  ip_bandwidth: 'ip_bandwidth',
  global_bandwidth: 'global_bandwidth',
};

/** Number of what no node holds: shedding. It has episodes like a constraint. */
const SHED = CONSTRAINTS.length;

const EPISODES = CONSTRAINTS.length + 1;

/** The bitrate node stands for whatever holds the stream lowest: itself, or one of these. */
const BITRATE_BIT = 1 << CONSTRAINTS.indexOf('stream_bitrate');

const BIT_OF: Readonly<Record<Squeezer, number>> = {
  global: 1 << CONSTRAINTS.indexOf('global_bandwidth'),
  client: 1 << CONSTRAINTS.indexOf('client_bandwidth'),
  shed: 1 << SHED,
};

/** Whether the stream's own bitrate node is among the bits. */
export function exceedsBitrate(exceeded: number): boolean {
  return (exceeded & BITRATE_BIT) !== 0;
}

/** The bits as they are to be told while the bitrate of a stream is held below its own limit: it has not exceeded that. */
export function blame(exceeded: number, by: Squeezer): number {
  return !exceedsBitrate(exceeded) ? exceeded : (exceeded & ~BITRATE_BIT) | BIT_OF[by];
}

/** The reason a squeeze is reported under. */
export function reasonOfSqueeze(by: Squeezer): Reason {
  return reasonOfConstraint(Math.log2(BIT_OF[by]));
}

/** The reason an excess of constraint number `index` is reported under. */
export function reasonOfConstraint(index: number): Reason {
  if (index === SHED) return 'shed';
  const constraint = CONSTRAINTS[index];
  if (constraint === undefined) throw new RangeError(`no constraint ${index}`);
  return REASON_OF[constraint];
}

/** The reason of the first constraint in a bit set; null for the empty set. */
export function firstReason(bits: number): Reason | null {
  return bits === 0 ? null : reasonOfConstraint(31 - Math.clz32(bits & -bits));
}

/** What is said of an episode when it opens. */
export type EpisodeAction = 'observe' | 'throttle' | 'drop' | 'exceed';

export interface EpisodeOpened {
  readonly constraint: number;
  readonly reason: Reason;
  readonly action: EpisodeAction;
}

/** What one step found: episodes that opened, and the reason to cut, if it is time. */
export interface Step {
  readonly opened: readonly EpisodeOpened[];
  readonly cut: Reason | null;
}

const NOTHING: Step = { opened: [], cut: null };

/** How an excess of this constraint is met: budgets above the stream slow what it would only be cut for itself. */
function actionOf(constraint: number, mode: OnExceed, lossy: boolean): EpisodeAction {
  if (mode === 'observe' || mode === 'drop') return mode;
  const own = ((1 << constraint) & OWN_MASK) !== 0;
  if (own && mode === 'disconnect') return 'exceed';
  return lossy ? 'drop' : 'throttle';
}

export class Enforcement {
  readonly #lossy: boolean;
  /** `now` of the first and last excess of the open episode of each constraint; NaN = none open */
  readonly #since = new Float64Array(EPISODES).fill(Number.NaN);
  readonly #last = new Float64Array(EPISODES).fill(Number.NaN);
  #open = 0;

  /** `lossy`: the sender cannot be slowed, so what would be throttled is dropped. */
  constructor(lossy = false) {
    this.#lossy = lossy;
  }

  /** Bit set of the constraints with an open episode. */
  get open(): number {
    return this.#open;
  }

  /** True while any constraint of the stream itself or above it is being exceeded. */
  get exceeding(): boolean {
    return this.#open !== 0;
  }

  /** True while a budget above the stream is being exceeded, or its share of one, or what shedding leaves it. */
  get squeezed(): boolean {
    return (this.#open & ~OWN_MASK) !== 0;
  }

  /**
   * Takes in the bits the data plane set since the last step. `exceeded` is
   * the EXCEEDED field of the stream row, after `blame` where that applies; `now` monotonic ms.
   */
  step(exceeded: number, limits: StreamLimits, now: number): Step {
    if (exceeded === 0 && this.#open === 0) return NOTHING;
    const opened: EpisodeOpened[] = [];
    let cut: Reason | null = null;
    for (let i = 0; i < EPISODES; i++) {
      const bit = 1 << i;
      if ((exceeded & bit) !== 0) {
        if ((this.#open & bit) === 0) {
          this.#open |= bit;
          this.#since[i] = now;
          opened.push({
            constraint: i,
            reason: reasonOfConstraint(i),
            action: actionOf(i, limits.on_exceed, this.#lossy),
          });
        }
        this.#last[i] = now;
      } else if ((this.#open & bit) !== 0 && now - (this.#last[i] ?? 0) >= QUIET_MS) {
        this.#close(i);
      }
      if (cut === null && this.#cutsAt(i, limits, now)) cut = reasonOfConstraint(i);
    }
    return { opened, cut };
  }

  /** Forgets every episode: the limits changed, so what went before says nothing about them. */
  reset(): void {
    for (let i = 0; i < EPISODES; i++) this.#close(i);
  }

  /** Only a stream's own excess cuts it: one that is squeezed by a shared budget has done nothing wrong. */
  #cutsAt(constraint: number, limits: StreamLimits, now: number): boolean {
    const bit = 1 << constraint;
    if ((bit & OWN_MASK & this.#open) === 0 || limits.on_exceed === 'observe') return false;
    // The last excess must be recent, so that a stream that has just come into line is not cut for its past.
    const fresh = now - (this.#last[constraint] ?? 0) < QUIET_MS / 2;
    return fresh && now - (this.#since[constraint] ?? now) >= limits.grace;
  }

  #close(constraint: number): void {
    this.#open &= ~(1 << constraint);
    this.#since[constraint] = Number.NaN;
    this.#last[constraint] = Number.NaN;
  }
}
