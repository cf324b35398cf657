import net from 'node:net';

/**
 * Preloaded into a server under test (`--import`): every connection it lets in
 * holds a megabyte of JavaScript numbers for as long as it lives, as if what is
 * done for it cost so much. Some hundreds of them then fill a small heap.
 */

/** Of eight bytes each. */
const NUMBERS = 131_072;

class Laden extends net.Socket {
  // Not a typed array: those are not in the heap.
  readonly ballast = Array.from({ length: NUMBERS }, (_, i) => i + 0.5);
}

Object.assign(net, { Socket: Laden });
