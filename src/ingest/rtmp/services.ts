import type { NativeEngine } from '../../native/binding.ts';
import type { OutboxReader } from '../../native/outbox.ts';
import type { Playback } from '../playback/playback.ts';
import type { PublishDesk } from '../publish-desk.ts';
import type { SetLowWater } from './low-water.ts';
import type { RtmpRelay } from './relay.ts';

/** Stage timeouts, ms. */
export interface StageTimeouts {
  readonly handshake: number;
  readonly publish: number;
  readonly idle: number;
}

/** What every RTMP connection shares. */
export interface RtmpServices {
  readonly engine: NativeEngine;
  /** result registers of the engine, see `IO` */
  readonly io: Float64Array;
  readonly outbox: OutboxReader;
  /** names of the engine's protocol errors by code */
  readonly engineErrors: readonly string[];
  readonly setReceiveLowWater: SetLowWater;
  /** whether the peer of that descriptor has closed or reset the connection */
  peerGone(fd: number): boolean;
  /** round trip to the peer, ms, and segments sent again; false where it cannot be known */
  tcpFigures(fd: number, out: Float64Array): boolean;
  readonly desk: PublishDesk;
  readonly playback: Playback;
  /** the server behind this one; null where it serves its players itself */
  readonly relay: RtmpRelay | null;
  /** read anew each time: a reload changes them */
  timeouts(): StageTimeouts;
}
