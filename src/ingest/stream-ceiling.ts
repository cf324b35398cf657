import type { StreamLimits } from '../core/limits.ts';
import { blame, exceedsBitrate } from '../core/policy/enforce.ts';
import type { Ceiling, Squeezer } from '../core/stream.ts';

/**
 * What was owed under a ceiling is still being repaid once it is lifted. For
 * so long it is the ceiling's doing and not the publisher's: the burst
 * allowance of a stream, twice. ms.
 *
 * A sender that was slowed has a backlog by then, and sends it as fast as its
 * own limit lets it. So an excess that goes on without a break of this length
 * stays the ceiling's doing too, for as long again as the ceiling was in force.
 */
const AFTERGLOW_MS = 2_000;

/**
 * A lower bitrate laid over a stream's own limits for a while, by no fault of
 * its own. It is held to, not punished for: a stream that is to be cut for
 * its own excess is slowed meanwhile, and one that is only observed stays so.
 */
export class StreamCeiling {
  #current: Ceiling | null = null;
  #lifted: Squeezer | null = null;
  #liftedAt = Number.NEGATIVE_INFINITY;
  /** when it began to be held, by whatever ceiling */
  #heldSince = Number.NEGATIVE_INFINITY;
  /** of the excess that has gone on since it was lifted */
  #excessAt = Number.NEGATIVE_INFINITY;

  /** Null while the stream's own limit holds. */
  get current(): Ceiling | null {
    return this.#current;
  }

  /** True when it is another than before. */
  set(next: Ceiling | null, now: number): boolean {
    const before = this.#current;
    if (next?.bps === before?.bps && next?.by === before?.by) return false;
    if (before !== null && next === null) {
      this.#lifted = before.by;
      this.#liftedAt = now;
      this.#excessAt = now;
    }
    if (before === null) this.#heldSince = now;
    this.#current = next;
    return true;
  }

  /** The limits as they are held while it is in force. */
  over(limits: StreamLimits): StreamLimits {
    const { on_exceed } = limits;
    if (this.#current === null || on_exceed === 'observe' || this.#current.bps >= limits.max_bitrate) {
      return limits;
    }
    const held = on_exceed === 'disconnect' ? 'throttle' : on_exceed;
    return { ...limits, max_bitrate: this.#current.bps, on_exceed: held };
  }

  /** The bits of EXCEEDED as they are to be told: an excess of the bitrate as that of whatever holds the stream. */
  blame(exceeded: number, limits: StreamLimits, now: number): number {
    const by = this.blamed(limits, now);
    if (by === null) return exceeded;
    if (exceedsBitrate(exceeded)) this.#excessAt = Math.max(this.#excessAt, now);
    return blame(exceeded, by);
  }

  /** By whose doing the bitrate is exceeded now; null = the stream's own. */
  blamed(limits: StreamLimits, now: number): Squeezer | null {
    if (this.#current !== null) return this.over(limits) === limits ? null : this.#current.by;
    const heldMs = this.#liftedAt - this.#heldSince;
    const repaying = now - this.#excessAt < AFTERGLOW_MS && now - this.#liftedAt < AFTERGLOW_MS + heldMs;
    return repaying ? this.#lifted : null;
  }
}
