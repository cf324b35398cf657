import type { StreamLimits } from '../core/limits.ts';
import type { Ceiling, Squeezer } from '../core/stream.ts';

/**
 * What was owed under a ceiling is still being repaid once it is lifted. For
 * so long it is the ceiling's doing and not the publisher's: the burst
 * allowance of a stream, twice. ms.
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
    }
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

  /** By whose doing the bitrate is exceeded now; null = the stream's own. */
  blamed(limits: StreamLimits, now: number): Squeezer | null {
    if (this.#current !== null) return this.over(limits) === limits ? null : this.#current.by;
    return now - this.#liftedAt < AFTERGLOW_MS ? this.#lifted : null;
  }
}
