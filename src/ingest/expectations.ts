/** Stream keys remembered: as many as there are publishers who come back within the day. About 100 bytes each. */
const KEYS_MAX = 16_384;

/** Before a stream has lived so long its bitrate says nothing, ms. */
const LIVED_MIN_MS = 10_000;

/**
 * What publishers sent the last time, by the key they used: the best guess of
 * what they will send now. When it is full, the one that was heard of longest
 * ago is forgotten.
 */
export class Expectations {
  readonly #bps = new Map<string, number>();

  /** A stream ended that sent `bps` on average. */
  learn(keyId: string, bps: number, livedMs: number): void {
    if (livedMs < LIVED_MIN_MS || !(bps > 0)) return;
    this.#bps.delete(keyId);
    if (this.#bps.size >= KEYS_MAX)
      for (const oldest of this.#bps.keys()) {
        this.#bps.delete(oldest);
        break;
      }
    this.#bps.set(keyId, bps);
  }

  /** bits/s of the next stream of that key, which never sends more than its limit; null = not known. */
  of(keyId: string, limitBps: number): number | null {
    const before = this.#bps.get(keyId);
    if (before !== undefined) return Math.min(before, limitBps);
    return Number.isFinite(limitBps) ? limitBps : null;
  }
}
