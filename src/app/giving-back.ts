/**
 * Freed memory stays with the process for as long as anything is in use above
 * it in the heap: after a crowd of publishers has left, that may be all of
 * their pictures, and a gate that closed for want of memory would stay closed
 * over memory that nobody uses. So after much has been freed the heap is asked
 * to hand it back.
 */

/** What must have been freed since the last time, bytes: less is soon in use again. */
const FREED_MIN_BYTES = 64 * 1024 * 1024;

/** Between two times, ms: each stops the loop, for 34 to 51 ms where 340 MB were handed back. */
const PAUSE_MS = 2_000;

export class GivingBack {
  readonly #giveBack: () => unknown;
  #mostBytes = 0;
  #doneAt = Number.NEGATIVE_INFINITY;

  constructor(giveBack: () => unknown) {
    this.#giveBack = giveBack;
  }

  /** `heldBytes`: in use now outside of JavaScript's heap. */
  step(heldBytes: number, now: number): void {
    this.#mostBytes = Math.max(this.#mostBytes, heldBytes);
    if (this.#mostBytes - heldBytes < FREED_MIN_BYTES || now - this.#doneAt < PAUSE_MS) return;
    this.#mostBytes = heldBytes;
    this.#doneAt = now;
    this.#giveBack();
  }
}
