import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The one place of the command line that waits: between two tries to reach a
 * server, and for a server that has fallen silent.
 */

/** Resolves after `ms`, or at once when `signal` is aborted. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Calls `expired` once when `touch` has not been called for `ms`. */
export class Silence {
  readonly #ms: number;
  readonly #expired: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, expired: () => void) {
    this.#ms = ms;
    this.#expired = expired;
    this.touch();
  }

  /** Something was heard. */
  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#expired, this.#ms);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
