import { HANDSHAKE_PART_BYTES, handshakeReply } from './nms.ts';

/**
 * The server's side of the RTMP handshake (RTMP 1.0, section 5.2), without
 * I/O: C0 and C1 come in, S0, S1 and S2 go out, and C2 is waited for and
 * thrown away. What C2 holds is not verified: it proves nothing about a client
 * and several encoders get it wrong.
 */

/** C0: the only version in use. 6 is RTMPE, which encrypts with a published key. */
const RTMP_VERSION = 3;
const RTMPE_VERSION = 6;

const C0C1_BYTES = 1 + HANDSHAKE_PART_BYTES;

/** First allocation for a C1 that trickles in, bytes; doubled as more comes. */
const TRICKLE_BYTES = 128;

export interface HandshakeStep {
  /** why the client is refused, for people; null while all is well */
  readonly problem: string | null;
  /** S0, S1 and S2, once, when C1 is complete */
  readonly output: Buffer | null;
  /** C2 is in: what follows `consumed` is the chunk stream */
  readonly done: boolean;
  /** bytes of this input that belonged to the handshake */
  readonly consumed: number;
}

export class Handshake {
  /** what has come of C0 and C1, never more room than twice that */
  #pending: Buffer = Buffer.alloc(0);
  #length = 0;
  /** bytes of C2 still to come */
  #awaited = HANDSHAKE_PART_BYTES;
  #replied = false;

  /** Takes the next bytes of the client, split anywhere. `input` is not kept. */
  push(input: Uint8Array): HandshakeStep {
    let output: Buffer | null = null;
    let offset = 0;
    if (!this.#replied) {
      if (this.#length === 0 && input.length > 0) {
        const problem = versionProblem(input[0] as number);
        if (problem !== null) return { problem, output, done: false, consumed: 0 };
      }
      offset = Math.min(input.length, C0C1_BYTES - this.#length);
      output = this.#collect(input.subarray(0, offset));
    }
    if (this.#replied) {
      const skipped = Math.min(input.length - offset, this.#awaited);
      this.#awaited -= skipped;
      offset += skipped;
    }
    return { problem: null, output, done: this.#awaited === 0, consumed: offset };
  }

  /** The answer once C0 and C1 are complete, else null. */
  #collect(bytes: Uint8Array): Buffer | null {
    if (bytes.length === C0C1_BYTES) return this.#answer(bytes);
    const length = this.#length + bytes.length;
    if (length > this.#pending.length) {
      const grown = Buffer.alloc(Math.min(C0C1_BYTES, Math.max(TRICKLE_BYTES, 2 * length)));
      this.#pending.copy(grown, 0, 0, this.#length);
      this.#pending = grown;
    }
    this.#pending.set(bytes, this.#length);
    this.#length = length;
    return length === C0C1_BYTES ? this.#answer(this.#pending) : null;
  }

  #answer(c0c1: Uint8Array): Buffer {
    const output = handshakeReply(c0c1.subarray(1, C0C1_BYTES));
    this.#replied = true;
    this.#pending = Buffer.alloc(0);
    return output;
  }
}

function versionProblem(version: number): string | null {
  if (version === RTMP_VERSION) return null;
  if (version === RTMPE_VERSION) return 'RTMPE is not supported; use rtmps:// for encryption';
  return `not RTMP: the first byte is ${version}, not ${RTMP_VERSION}`;
}
