import type { Socket } from 'node:net';
import type { Reason } from '../../core/reasons.ts';
import { monotonicMs } from '../../lib/clock.ts';
import type { OutboxReader } from '../../native/outbox.ts';
import type { LiveStream } from '../live-stream.ts';
import type { PublishDesk } from '../publish-desk.ts';
import { appName, splitName } from '../publish-name.ts';
import type { AmfValue } from './amf.ts';
import type { RelayRequest, RelaySession, RtmpRelay } from './relay.ts';

/** The connection whose publisher or player is handed on. */
interface HandedOver {
  readonly origin: RelayRequest['origin'];
  readonly socket: Socket | null;
  playing(): void;
  farewell(): void;
  violate(detail: string): void;
}

/**
 * One connection's part of the relay: who was let in is handed on to the
 * server behind, and what that server decides comes back to the connection.
 */
export class Handover {
  readonly #connection: HandedOver;
  readonly #relay: RtmpRelay;
  readonly #desk: Pick<PublishDesk, 'cut'>;
  #app = '';
  #tcUrl: string | null = null;
  #session: RelaySession | null = null;

  constructor(connection: HandedOver, relay: RtmpRelay, desk: Pick<PublishDesk, 'cut'>) {
    this.#connection = connection;
    this.#relay = relay;
    this.#desk = desk;
  }

  /** True while the server behind holds a session for it. */
  get active(): boolean {
    return this.#session !== null;
  }

  connected(app: string, tcUrl: AmfValue): void {
    this.#app = app;
    this.#tcUrl = typeof tcUrl === 'string' ? tcUrl : null;
  }

  /** Hands on a publisher that was let in; false when the server behind did not want it, and the stream was cut. */
  publish(stream: LiveStream, name: string, streamId: number): boolean {
    const { query } = splitName(this.#app, name);
    // The key is the gate's affair; under its public name the stream needs none.
    query.delete('key');
    const cut = (reason: Reason, detail: string): void => {
      this.#desk.cut(stream, { reason, detail, cooldownMs: 0 }, monotonicMs());
    };
    let failure: Error | null = null;
    const session = this.#relay.open({
      ...this.#request('publish', stream.identity.name, query, streamId),
      write: () => {},
      ended: () => {
        if (this.#session !== null) cut('kicked', 'the application behind the gate closed this stream');
      },
      failed: (error) => {
        failure = error;
        if (this.#session !== null) cut('protocol_error', failureOf(error));
      },
    });
    if (session.over) {
      session.close();
      if (failure !== null) cut('protocol_error', failureOf(failure));
      else cut('auth_failed', 'the server behind the gate refused this publisher: its own log says why');
      return false;
    }
    this.#session = session;
    // Media crosses to JavaScript for as long as the stream lives.
    stream.playersChanged(1);
    return true;
  }

  /** A player belongs to the server behind altogether. */
  play(name: string, streamId: number): void {
    const { socket } = this.#connection;
    if (socket === null) return;
    const { streamName, query } = splitName(this.#app, name);
    this.#connection.playing();
    const session = this.#relay.open({
      ...this.#request('play', streamName, query, streamId),
      write: (bytes) => {
        if (socket.writableLength > this.#relay.maxQueueBytes()) socket.destroy();
        else if (!socket.destroyed) socket.write(bytes);
      },
      ended: () => this.#connection.farewell(),
      failed: (error) => this.#connection.violate(failureOf(error)),
    });
    if (session.over) session.close();
    else this.#session = session;
  }

  /** The outbox's current message, for the server behind. */
  deliver(outbox: OutboxReader): void {
    this.#session?.deliver(outbox.message());
  }

  /** The server behind hears that this client has gone. Idempotent. */
  close(): void {
    const session = this.#session;
    this.#session = null;
    session?.close();
  }

  #request(verb: RelayRequest['verb'], name: string, query: URLSearchParams, streamId: number) {
    const { origin } = this.#connection;
    return { verb, origin, tcUrl: this.#tcUrl, app: appName(this.#app), name, query, streamId };
  }
}

function failureOf(error: Error): string {
  return `the server behind the gate failed on this connection: ${error.message}`;
}
