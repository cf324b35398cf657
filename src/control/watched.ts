import type { ShareClaim } from '../core/fairness/shares.ts';
import { cohortOf } from '../core/shedding/shed-ladder.ts';
import type { Ceiling, Squeezer } from '../core/stream.ts';
import type { GovernedStream } from './governor-ports.ts';

/**
 * What the governor keeps of each stream from one round to the next: what it
 * sends, what it is held to and why. It is the stream's claim to a share as
 * well, so that a round over ten thousand of them makes no objects.
 */

/** What a stream sends is known of the last two seconds: before it is older than that, it means little, ms. */
const NEWCOMER_MS = 3000;

/** Part by which a ceiling must move before it is written: below that it is the noise of what others send. */
const CEILING_DEAD_BAND = 0.005;

export class Watched<S extends GovernedStream = GovernedStream> implements ShareClaim {
  readonly stream: S;
  readonly client: string;
  readonly cohort: number;
  tier = '';
  priority = 0;
  weight = 1;
  limitBps = 0;
  /** what it sends; of one that is pressing against its share that at least, whatever a pause makes of it */
  observedBps = 0;
  floorBps = 0;
  clientBps = Number.POSITIVE_INFINITY;
  newcomer = true;
  /** cannot be held down: it takes what it sends, whatever the others want */
  fixed = false;
  /** its fair share, where that is less than it wants; null = it is not touched */
  share: Ceiling | null = null;
  /** what shedding leaves it, bits/s; null = all */
  shedBps: number | null = null;
  /** what it sent when its cohort was first touched, bits/s; NaN = it was not */
  shedBaseBps = Number.NaN;
  /** the round that it was last seen in */
  round = 0;
  #ceiling: Ceiling | null = null;

  constructor(stream: S) {
    this.stream = stream;
    this.client = stream.client;
    this.cohort = cohortOf(stream.path);
  }

  /** Who holds it down now. */
  get squeezedBy(): Squeezer | null {
    return this.#ceiling?.by ?? null;
  }

  /** Looks at the stream once a round. `fill`: part of its client's budget that is shared out. */
  look(floorBps: number, fill: number, now: number): void {
    const { stream } = this;
    this.priority = stream.priority;
    this.tier = stream.tier ?? '';
    // A hundred to one at the ends of the scale, and nobody without weight.
    this.weight = 1 + Math.max(0, stream.priority);
    const seenBps = stream.observedBps();
    // A burst is paid for by a pause, in which little is seen of a stream that has much to send. Let go for that, it would
    // burst again as far as its own limit lets it: that is how a budget was passed by half.
    const pressing = this.share !== null && stream.pressing();
    this.observedBps = pressing ? Math.max(seenBps, this.share?.bps ?? 0) : seenBps;
    this.clientBps = stream.clientBps() * fill;
    this.newcomer = now - stream.startedAt < NEWCOMER_MS;
    this.fixed = stream.exempt || !stream.governed;
    this.limitBps = this.fixed ? this.observedBps : this.#claimBps();
    this.floorBps = this.fixed ? this.observedBps : floorBps;
    const { reservation } = stream;
    if (reservation !== null && !reservation.settled) {
      reservation.observe(seenBps, stream.keptBytes(), now);
    }
  }

  /** Puts the lower of share and shedding in force. */
  hold(now: number): void {
    const next = this.#lowest();
    const before = this.#ceiling;
    if (next === null && before === null) return;
    if (next !== null && before !== null && next.by === before.by && alike(next.bps, before.bps)) return;
    this.#ceiling = next;
    this.stream.setCeiling(next, now);
  }

  #lowest(): Ceiling | null {
    const { share, shedBps } = this;
    if (shedBps === null || this.fixed) return share;
    return share !== null && share.bps <= shedBps ? share : { bps: shedBps, by: 'shed' };
  }

  /** A newcomer claims what was set aside for it, or its limit where nothing was. */
  #claimBps(): number {
    const { stream } = this;
    const limitBps = stream.limitBps();
    if (!this.newcomer || stream.reservation === null) return limitBps;
    return Math.min(limitBps, Math.max(stream.reservation.expectedBps, this.observedBps));
  }
}

/** All live streams, oldest first. */
export class WatchList<S extends GovernedStream = GovernedStream> {
  readonly #known = new Map<S, Watched<S>>();
  #list: Watched<S>[] = [];
  #round = 0;

  get all(): readonly Watched<S>[] {
    return this.#list;
  }

  /** Sees who is there, and forgets who is not. */
  refresh(streams: Iterable<S>): void {
    this.#round++;
    this.#list = [];
    for (const stream of streams) {
      let watched = this.#known.get(stream);
      if (watched === undefined) {
        watched = new Watched(stream);
        this.#known.set(stream, watched);
      }
      watched.round = this.#round;
      this.#list.push(watched);
    }
    if (this.#known.size === this.#list.length) return;
    for (const [stream, { round }] of this.#known) if (round !== this.#round) this.#known.delete(stream);
  }
}

function alike(a: number, b: number): boolean {
  return Math.abs(a - b) <= CEILING_DEAD_BAND * b;
}
