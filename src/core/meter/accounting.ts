import { CONFORMING, chargeNode, debtOf, isBurstUsed, isDebtUsed, wouldConform } from './gcra-node.ts';
import { FLAG, MODE, NODE, NODE_STRIDE, STREAM, STREAM_STRIDE } from './slab-layout.ts';

/** What a media message carries. */
export const KIND = { AUDIO: 0, VIDEO: 1, DATA: 2 } as const;

/** What accounting knows of one complete media message, or of the part of a datagram that is decided as one. */
export interface MessageMeta {
  /** payload length */
  bytes: number;
  /** one of KIND */
  kind: number;
  /** access units of the fastest video track in it: what FPS is charged */
  frames: number;
  /** access units of all its video tracks: what is counted */
  allFrames: number;
  /** starts a GOP */
  keyframe: boolean;
  /** audio or video sequence header: never dropped */
  header: boolean;
  /** no other frame refers to it */
  disposable: boolean;
  /** stream metadata: never dropped */
  metadata: boolean;
  /** decoding time, ms, unwrapped past 2^32 */
  dts: number;
  /** packets it counts as: 0 for what shares a datagram with a part before it */
  packets: number;
}

/**
 * Counts and charges media over the slab. Slots and nodes beyond the tables
 * are ignored; `now` is monotonic ms.
 */
export interface Accounting {
  /**
   * Decides and counts one message; false means dropped. Outside drop mode
   * the counters move at once and the cost waits in the row for `settle`.
   */
  admit(slot: number, message: MessageMeta, now: number): boolean;
  /** Counts what follows of a frame that `admit` refused: a message in several parts is refused once. */
  refuse(slot: number, bytes: number, packets: number, now: number): void;
  /**
   * Charges what `admit` left since the last settle, once at the end of a
   * read. Returns the delay before the next read in ms: 0 conforming,
   * Infinity for a limit of rate 0.
   */
  settle(slot: number, now: number): number;
  /**
   * Counts and charges a batch without looking into it: no drop decision, no
   * media clock. Returns the same delay as `settle`.
   */
  account(slot: number, bytes: number, packets: number, frames: number, now: number): number;
  /**
   * What a publisher that is held back still has to wait, ms, like the answer
   * of `settle`. Counts and charges nothing; what is still owed goes on being
   * exceeded.
   */
  owed(slot: number, now: number): number;
}

/**
 * A DTS this far ahead is a new timeline (a restarted encoder, a spliced
 * file), not a fast one: encoders send a frame at least once in this long. ms.
 */
const MEDIA_JUMP_MAX_MS = 10_000;

/**
 * Disposable frames go first: they pass only while this share of the burst is
 * used or less. The rest is kept for frames that others refer to.
 */
const DISPOSABLE_SHARE = 0.75;

/**
 * A keyframe bigger than this share of the burst is judged as if it were this
 * share. Without it one larger than the burst would never conform and the
 * picture would stay black for ever; it is charged in full, so the rate holds.
 */
const KEYFRAME_SHARE = 0.75;

/**
 * Where a sender cannot be slowed, what always passes passes only while less
 * than this share of the debt that is remembered is used up: video alone never
 * gets so far, a flood of audio does.
 */
const FLOOD_SHARE = 0.9;

/** Numbers of CONSTRAINTS; the node of constraint i is the field NODE_BITRATE + i. */
const PACKET_RATE = 1;
const FPS_WALL = 2;
const FPS_MEDIA = 3;
const FIRST_PARENT = 4;
const CONSTRAINT_COUNT = 7;
const FLOOD_JUDGED = [0, PACKET_RATE] as const;
const HEADROOM_JUDGED = [0, FPS_WALL, FPS_MEDIA] as const;

/**
 * The accounting in TypeScript: the twin of `native/accounting.cc` and the
 * oracle it is tested against. Both keep their slabs bit-equal, so the order
 * of every addition here is part of the contract.
 */
export class ReferenceAccounting implements Accounting {
  readonly #nodes: Float64Array;
  readonly #streams: Float64Array;

  constructor(nodes: Float64Array, streams: Float64Array) {
    this.#nodes = nodes;
    this.#streams = streams;
  }

  admit(slot: number, message: MessageMeta, now: number): boolean {
    const row = this.#rowOf(slot);
    if (row < 0) return true;
    const streams = this.#streams;
    const exempt = this.#isExempt(row);
    const drops = this.#firstDropping(row) < CONSTRAINT_COUNT;
    const enforced = drops && !exempt;
    streams[row + STREAM.OFFERED_BYTES]! += message.bytes;
    streams[row + STREAM.OFFERED_PACKETS]! += message.packets;
    streams[row + STREAM.LAST_PACKET_AT] = now;
    const mediaTime = message.kind === KIND.VIDEO && message.frames > 0;
    if (mediaTime) this.#followMediaClock(row, message.dts);
    if (this.#isRefused(row, message, enforced, now)) {
      this.#countDropped(row, message);
      if (enforced) this.#countViolation(row, streams[row + STREAM.DROP_CAUSE]!, now);
      return false;
    }
    this.#countAdmitted(row, message);
    const exceeded = mediaTime ? this.#chargeMedia(row, message, exempt) : 0;
    const frames = message.kind === KIND.VIDEO ? message.frames : 0;
    if (drops) {
      this.#chargeTotals(row, message.bytes, message.packets, frames, exceeded, now);
      return true;
    }
    streams[row + STREAM.PENDING_BYTES]! += message.bytes;
    streams[row + STREAM.PENDING_PACKETS]! += message.packets;
    streams[row + STREAM.PENDING_FRAMES]! += frames;
    streams[row + STREAM.PENDING_EXCEEDED]! |= exceeded;
    return true;
  }

  refuse(slot: number, bytes: number, packets: number, now: number): void {
    const row = this.#rowOf(slot);
    if (row < 0) return;
    const streams = this.#streams;
    streams[row + STREAM.OFFERED_BYTES]! += bytes;
    streams[row + STREAM.OFFERED_PACKETS]! += packets;
    streams[row + STREAM.LAST_PACKET_AT] = now;
    streams[row + STREAM.DROPPED_BYTES]! += bytes;
    streams[row + STREAM.DROPPED_PACKETS]! += packets;
  }

  settle(slot: number, now: number): number {
    const row = this.#rowOf(slot);
    const streams = this.#streams;
    if (row < 0 || streams[row + STREAM.PENDING_PACKETS] === 0) return 0;
    const bytes = streams[row + STREAM.PENDING_BYTES]!;
    const packets = streams[row + STREAM.PENDING_PACKETS]!;
    const frames = streams[row + STREAM.PENDING_FRAMES]!;
    const exceeded = streams[row + STREAM.PENDING_EXCEEDED]!;
    streams.fill(0, row + STREAM.PENDING_BYTES, row + STREAM.PENDING_EXCEEDED + 1);
    return this.#chargeTotals(row, bytes, packets, frames, exceeded, now);
  }

  account(slot: number, bytes: number, packets: number, frames: number, now: number): number {
    const row = this.#rowOf(slot);
    if (row < 0) return 0;
    const streams = this.#streams;
    streams[row + STREAM.OFFERED_BYTES]! += bytes;
    streams[row + STREAM.OFFERED_PACKETS]! += packets;
    streams[row + STREAM.LAST_PACKET_AT] = now;
    streams[row + STREAM.BYTES]! += bytes;
    streams[row + STREAM.PACKETS]! += packets;
    streams[row + STREAM.FRAMES]! += frames;
    return this.#chargeTotals(row, bytes, packets, frames, 0, now);
  }

  owed(slot: number, now: number): number {
    const row = this.#rowOf(slot);
    if (row < 0 || this.#isExempt(row)) return 0;
    const mode = this.#streams[row + STREAM.MODE]!;
    if (mode !== MODE.THROTTLE && mode !== MODE.DISCONNECT) return 0;
    let longestMs = 0;
    let exceeded = 0;
    for (let i = mode === MODE.THROTTLE ? 0 : FIRST_PARENT; i < CONSTRAINT_COUNT; i++) {
      const node = i === FPS_MEDIA ? -1 : this.#nodeOf(row, i);
      const debtMs = node < 0 ? CONFORMING : debtOf(this.#nodes, node, now);
      if (debtMs < 0) continue;
      exceeded |= 1 << i;
      longestMs = Math.max(longestMs, debtMs);
    }
    this.#streams[row + STREAM.EXCEEDED]! |= exceeded;
    return longestMs;
  }

  #rowOf(slot: number): number {
    return slot >= 0 && slot < this.#streams.length / STREAM_STRIDE ? slot * STREAM_STRIDE : -1;
  }

  /** Index of the node row of a constraint, or -1 where there is none. */
  #nodeOf(row: number, constraint: number): number {
    const number = this.#streams[row + STREAM.NODE_BITRATE + constraint]!;
    return number >= 0 && number < this.#nodes.length / NODE_STRIDE ? number * NODE_STRIDE : -1;
  }

  #isExempt(row: number): boolean {
    return (this.#streams[row + STREAM.FLAGS]! & FLAG.EXEMPT) !== 0;
  }

  /**
   * The first constraint whose excess drops video; CONSTRAINT_COUNT when none
   * does. A stream that is cut for its own excess, but cannot be slowed for
   * that of a budget it shares, drops for the budget.
   */
  #firstDropping(row: number): number {
    const mode = this.#streams[row + STREAM.MODE]!;
    if (mode === MODE.DROP) return 0;
    const lossy = (this.#streams[row + STREAM.FLAGS]! & FLAG.LOSSY) !== 0;
    return lossy && mode === MODE.DISCONNECT ? FIRST_PARENT : CONSTRAINT_COUNT;
  }

  /**
   * The media node runs on the DTS clock, which a publisher can set at will.
   * Where it breaks, what the node held of the old timeline means nothing and
   * is forgotten; the wall node still holds.
   */
  #followMediaClock(row: number, dts: number): void {
    const last = this.#streams[row + STREAM.LAST_DTS]!;
    this.#streams[row + STREAM.LAST_DTS] = dts;
    if (last >= 0 && dts >= last && dts - last <= MEDIA_JUMP_MAX_MS) return;
    const node = this.#nodeOf(row, FPS_MEDIA);
    if (node >= 0) this.#nodes[node + NODE.TAT] = dts;
  }

  /**
   * What players receive must decode. Only video is refused. A frame that
   * others refer to takes everything up to the next conforming keyframe with
   * it, even when the mode changes meanwhile.
   */
  #isRefused(row: number, message: MessageMeta, enforced: boolean, now: number): boolean {
    if (message.header || message.metadata) return false;
    if (message.kind !== KIND.VIDEO) return enforced && this.#isFlood(row, now);
    const streams = this.#streams;
    if (streams[row + STREAM.DROPPING] !== 0 && !message.keyframe) return true;
    if (!enforced) {
      streams[row + STREAM.DROPPING] = 0;
      return false;
    }
    const loose = !message.keyframe && (message.disposable || message.allFrames === 0);
    const first = this.#firstDropping(row);
    let cause = this.#nonconforming(row, message, first, now);
    if (cause === 0 && loose && first === 0) cause = this.#withoutHeadroom(row, message.dts, now);
    if (cause === 0) {
      streams[row + STREAM.DROPPING] = 0;
      return false;
    }
    streams[row + STREAM.DROP_CAUSE] = cause;
    if (!loose) streams[row + STREAM.DROPPING] = 1;
    return true;
  }

  /**
   * Audio and the rest pass whatever the video costs. But a sender that cannot
   * be slowed could send nothing else, and for ever: what goes on exceeding
   * without any video is dropped as well.
   */
  #isFlood(row: number, now: number): boolean {
    const lossy = (this.#streams[row + STREAM.FLAGS]! & FLAG.LOSSY) !== 0;
    if (!lossy || this.#streams[row + STREAM.MODE] !== MODE.DROP) return false;
    let cause = 0;
    for (const constraint of FLOOD_JUDGED) {
      const node = this.#nodeOf(row, constraint);
      if (node >= 0 && isDebtUsed(this.#nodes, node, FLOOD_SHARE, now)) cause |= 1 << constraint;
    }
    if (cause !== 0) this.#streams[row + STREAM.DROP_CAUSE] = cause;
    return cause !== 0;
  }

  /** A peek at every level before anything is taken: the bits of the constraints not met. */
  #nonconforming(row: number, message: MessageMeta, first: number, now: number): number {
    const needMax = message.keyframe ? KEYFRAME_SHARE : Infinity;
    let exceeded = 0;
    for (let constraint = first; constraint < CONSTRAINT_COUNT; constraint++) {
      const cost = costOf(constraint, message.bytes, message.packets, message.frames);
      const node = cost > 0 ? this.#nodeOf(row, constraint) : -1;
      const clock = constraint === FPS_MEDIA ? message.dts : now;
      if (node >= 0 && !wouldConform(this.#nodes, node, cost, clock, needMax)) exceeded |= 1 << constraint;
    }
    return exceeded;
  }

  #withoutHeadroom(row: number, dts: number, now: number): number {
    let shortOf = 0;
    for (const constraint of HEADROOM_JUDGED) {
      const node = this.#nodeOf(row, constraint);
      const clock = constraint === FPS_MEDIA ? dts : now;
      if (node >= 0 && isBurstUsed(this.#nodes, node, DISPOSABLE_SHARE, clock)) shortOf |= 1 << constraint;
    }
    return shortOf;
  }

  /**
   * Media time is charged message by message in every mode: the frames of one
   * read span a stretch of DTS, and charged together at its end they would
   * look like a burst.
   */
  #chargeMedia(row: number, message: MessageMeta, exempt: boolean): number {
    const node = this.#nodeOf(row, FPS_MEDIA);
    if (node < 0 || chargeNode(this.#nodes, node, message.frames, message.dts) === CONFORMING || exempt) {
      return 0;
    }
    this.#nodes[node + NODE.VIOLATIONS]! += 1;
    return 1 << FPS_MEDIA;
  }

  #chargeTotals(
    row: number,
    bytes: number,
    packets: number,
    frames: number,
    exceededBefore: number,
    now: number,
  ): number {
    const exempt = this.#isExempt(row);
    let exceeded = exceededBefore;
    let ownDelayMs = 0;
    let parentDelayMs = 0;
    for (let constraint = 0; constraint < CONSTRAINT_COUNT; constraint++) {
      if (constraint === FPS_MEDIA) continue;
      const cost = costOf(constraint, bytes, packets, frames);
      const node = cost > 0 ? this.#nodeOf(row, constraint) : -1;
      if (node < 0) continue;
      const delayMs = chargeNode(this.#nodes, node, cost, now);
      if (delayMs < 0 || exempt) continue;
      this.#nodes[node + NODE.VIOLATIONS]! += 1;
      exceeded |= 1 << constraint;
      if (constraint < FIRST_PARENT) ownDelayMs = Math.max(ownDelayMs, delayMs);
      else parentDelayMs = Math.max(parentDelayMs, delayMs);
    }
    if (exceeded !== 0) this.#countViolation(row, exceeded, now);
    const mode = this.#streams[row + STREAM.MODE]!;
    if (mode === MODE.THROTTLE) return Math.max(ownDelayMs, parentDelayMs);
    return mode === MODE.DISCONNECT ? parentDelayMs : 0;
  }

  #countAdmitted(row: number, message: MessageMeta): void {
    const streams = this.#streams;
    streams[row + STREAM.BYTES]! += message.bytes;
    streams[row + STREAM.PACKETS]! += message.packets;
    streams[row + STREAM.FRAMES]! += message.allFrames;
    if (message.keyframe && message.allFrames > 0) streams[row + STREAM.KEYFRAMES]! += 1;
    if (message.kind === KIND.VIDEO) streams[row + STREAM.VIDEO_PACKETS]! += message.packets;
    else if (message.kind === KIND.AUDIO) streams[row + STREAM.AUDIO_PACKETS]! += message.packets;
    else streams[row + STREAM.DATA_PACKETS]! += message.packets;
  }

  #countDropped(row: number, message: MessageMeta): void {
    this.#streams[row + STREAM.DROPPED_BYTES]! += message.bytes;
    this.#streams[row + STREAM.DROPPED_PACKETS]! += message.packets;
    this.#streams[row + STREAM.DROPPED_FRAMES]! += message.allFrames;
  }

  #countViolation(row: number, exceeded: number, now: number): void {
    this.#streams[row + STREAM.VIOLATIONS]! += 1;
    this.#streams[row + STREAM.LAST_VIOLATION_AT] = now;
    this.#streams[row + STREAM.EXCEEDED]! |= exceeded;
  }
}

function costOf(constraint: number, bytes: number, packets: number, frames: number): number {
  if (constraint === PACKET_RATE) return packets;
  return constraint === FPS_WALL || constraint === FPS_MEDIA ? frames : bytes;
}
