/**
 * Neighbours of an instant. A promise is kept to the last bit only if the
 * addition that the caller will make, `now + delay`, lands on the very double
 * that was meant.
 */

const cell = new Float64Array(1);
const words = new Uint32Array(cell.buffer);
/** The low word of a double comes first on every little-endian machine. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;
const WORD_MAX = 0xffffffff;

/** Moves the magnitude of the double in `cell` one step away from (or towards) zero. */
function step(away: boolean): void {
  const low = words[LOW]!;
  const carries = away ? low === WORD_MAX : low === 0;
  words[LOW] = away ? low + 1 : low - 1;
  if (carries) words[HIGH] = words[HIGH]! + (away ? 1 : -1);
}

/** The smallest double above `x` (finite). */
export function nextAbove(x: number): number {
  if (x === 0) return Number.MIN_VALUE;
  cell[0] = x;
  step(x > 0);
  return cell[0]!;
}

/** The largest double below `x` (finite). */
export function nextBelow(x: number): number {
  return -nextAbove(-x);
}

/**
 * The delay d for which `now + d`, as doubles add, is exactly `instant`; the
 * instant lies after `now`. The plain difference already is that for instants
 * within a factor of two of each other; otherwise its rounding may miss by one
 * step. Where no double leads to the instant (the exact delay falls halfway
 * between two), the promise is the next instant that one leads to: never early.
 */
export function delayUntil(instant: number, now: number): number {
  let delayMs = instant - now;
  while (now + delayMs < instant) delayMs = nextAbove(delayMs);
  while (now + delayMs > instant) {
    const shorter = nextBelow(delayMs);
    if (now + shorter < instant) break;
    delayMs = shorter;
  }
  return delayMs;
}
