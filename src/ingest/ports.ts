/**
 * What ingest asks of the rest of the server. `app.ts` hands in the real
 * things; a test hands in plain objects.
 */
import type { GateCheck } from '../core/admission/questions.ts';
import type { Reservation } from '../core/pressure/reservation-ledger.ts';
import type { StreamRequest } from '../core/pressure/reservations.ts';
import type { Reason } from '../core/reasons.ts';
import type { StreamTransport } from '../core/stream.ts';
import type { Denial, Receipt } from '../core/verdict.ts';
import type { BroadcastOptions } from './playback/playback.ts';

/** Whom and what a decision was about. No secret is ever in it. */
export interface DecisionSubject {
  readonly ip: string;
  readonly protocol: string;
  readonly path: string | null;
  readonly client: string | null;
  /** id of the live stream, null before there is one */
  readonly stream: string | null;
}

/** A decision as it is written down: a denial's facts, whatever the action was. */
export type Decision = Omit<Denial, 'allowed'>;

/** Where decisions are written down: receipt, metric and log line in one. */
export interface DecisionRecorder {
  record(
    action: Receipt['action'],
    decision: Decision,
    subject: DecisionSubject,
    detail: string,
    now: number,
  ): Receipt;
  /** Like refusals at a door in front of everything, so many at once; they share a receipt for a while. */
  refusedAtDoor(
    decision: Decision,
    subject: DecisionSubject,
    detail: string,
    times: number,
    now: number,
  ): void;
  /** A connect or publish was let in, and how long the decision took, ms. */
  admitted(scope: 'ip' | 'client', tookMs: number): void;
  /** An ordinary event worth a log line: a stream began or ended. */
  note(
    event: 'stream_started' | 'stream_ended',
    subject: DecisionSubject,
    facts: Record<string, unknown>,
  ): void;
}

/** A publisher at the desk, as far as it matters to what the machine can bear. */
export interface Newcomer extends StreamRequest {
  readonly path: string;
}

/** What the machine can bear. `control/governor.ts` answers. */
export interface PressureDesk {
  /** closed while nobody at all is let in */
  readonly gate: GateCheck;
  /** Why this one may not come now, or null when it may. Takes nothing. */
  refusal(newcomer: Newcomer, now: number): Denial | null;
  /** Keeps free what a stream that was let in has yet to cost. */
  reserve(newcomer: Newcomer, now: number): Reservation;
}

/** Ends a connection for cause: tells the publisher, flushes, closes. */
export interface CutOrder {
  readonly reason: Reason;
  /** the machine-readable line of `core/notice.ts` */
  readonly notice: string;
}

/** What the transport says of the way to the publisher; null where it cannot be known. */
export type TransportFigures = StreamTransport;

/** Where the players of a stream get what they play; read when the stream begins. */
export interface StreamSource {
  /** What a player that joins is given first, as `BroadcastOptions.replay`. */
  replay(slot: number, sink: Parameters<BroadcastOptions['replay']>[0]): void;
  readonly transportStream?: BroadcastOptions['transportStream'];
}

/** The connection behind a live stream, whatever its protocol. */
export interface StreamConnection {
  /** Tells the publisher why and closes; idempotent. */
  cut(order: CutOrder): void;
  /** Looks at the stream's debt again now: its limits changed. */
  recheck(now: number): void;
  /** ms this stream has been held back so far, the pause going on included */
  throttledMs(now: number): number;
  transport(): TransportFigures;
  /** true while reading is paused to repay debt */
  readonly paused: boolean;
  /** true once the peer has closed or reset the connection, though what it sent before still waits to be read */
  readonly orphaned: boolean;
  /**
   * Says something that only a peer that still exists takes. What a dead one sent may fill the receive window, and
   * then neither its end nor its reset gets through by itself; the answer to this does, and it is `orphaned` soon after.
   */
  probe(): void;
}
