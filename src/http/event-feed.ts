/**
 * Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html):
 * `node` and `snapshot` at an interval, `receipt` and `audit` as they happen.
 *
 * A subscriber that reads slowly costs a bounded amount: a snapshot is skipped
 * while anything still waits for him (the next one says more), an audit event
 * is dropped when more than `PENDING_BYTES_MAX` wait. Events that were dropped
 * are counted and told in a `dropped` event once there is room. Who has not read
 * for a heartbeat is cut off. So is, before another word, who may no longer
 * listen: a reload has taken his token back.
 */
import type { ServerResponse } from 'node:http';
import type { AuditEvent } from '../telemetry/events.ts';
import type { AdminPort } from './ports.ts';
import { Problem } from './problem.ts';
import { SnapshotFrame } from './snapshot-frame.ts';
import { SnapshotRounds } from './snapshot-rounds.ts';

/** Subscribers at once: dashboards and `headgate events`, not a public feed. */
const SUBSCRIBERS_MAX = 32;

/** Bytes of events that may wait for one subscriber: thousands of receipts. */
const PENDING_BYTES_MAX = 1024 * 1024;

/** ms between two comments that keep proxies from closing a quiet connection (they wait 30 to 60 s). */
const HEARTBEAT_MS = 15_000;

interface Subscriber {
  readonly response: ServerResponse;
  dropped: number;
  /** true from a heartbeat that found bytes waiting until they have gone */
  stalled: boolean;
  /** false as soon as a reload has taken the right to listen */
  readonly allowed: () => boolean;
  end(): void;
}

/** What a subscriber asks for. */
interface Subscription {
  /** of the answer */
  readonly headers: Readonly<Record<string, string>>;
  /** between two snapshots; Infinity: none */
  readonly intervalMs: number;
  readonly allowed: () => boolean;
}

export interface EventFeedOptions {
  /** see HEARTBEAT_MS; tests pass less */
  readonly heartbeatMs?: number;
}

export class EventFeed {
  readonly #port: AdminPort;
  readonly #rounds: SnapshotRounds;
  readonly #heartbeatMs: number;
  readonly #subscribers = new Set<Subscriber>();
  #dropped = 0;

  constructor(port: AdminPort, options: EventFeedOptions = {}) {
    this.#port = port;
    const frame = new SnapshotFrame(port);
    this.#rounds = new SnapshotRounds(() => frame.current());
    this.#heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
  }

  /** Events that slow subscribers did not get, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Serves one subscriber until he leaves; throws a 503 when there are too many. */
  serve(response: ServerResponse, { headers, intervalMs, allowed }: Subscription): void {
    const full = new Problem('unavailable', `${SUBSCRIBERS_MAX} subscribers are connected already`, {
      headers: { 'retry-after': '10' },
    });
    if (this.#subscribers.size >= SUBSCRIBERS_MAX) throw full;
    const subscriber: Subscriber = { response, dropped: 0, stalled: false, allowed, end: () => undefined };
    const unsubscribe = this.#port.audit.subscribe((event) => this.#tell(subscriber, event));
    if (unsubscribe === null) throw full;
    this.#subscribers.add(subscriber);
    const stopSnapshots = Number.isFinite(intervalMs)
      ? this.#joinRounds(subscriber, intervalMs)
      : () => undefined;
    const heartbeat = setInterval(() => this.#beat(subscriber), this.#heartbeatMs);
    subscriber.end = () => {
      if (!this.#subscribers.delete(subscriber)) return;
      clearInterval(heartbeat);
      stopSnapshots();
      unsubscribe();
    };
    response.on('close', subscriber.end);
    response.on('error', subscriber.end);
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    });
    // What an EventSource waits before it reconnects, ms.
    response.write('retry: 3000\n\n');
  }

  /** Ends all subscriptions: the server stops. */
  close(): void {
    for (const subscriber of [...this.#subscribers]) {
      subscriber.end();
      subscriber.response.end(': the server stops\n\n');
    }
  }

  #joinRounds(subscriber: Subscriber, intervalMs: number): () => void {
    const { response } = subscriber;
    const reader = {
      ready: () => this.#mayListen(subscriber) && response.writableLength === 0,
      receive: (frame: Buffer) => {
        this.#admitDrops(subscriber);
        response.write(frame);
      },
    };
    return this.#rounds.join(reader, intervalMs);
  }

  /** Ends the subscription of who may not. */
  #mayListen(subscriber: Subscriber): boolean {
    if (subscriber.allowed()) return true;
    subscriber.end();
    subscriber.response.end(': no longer allowed\n\n');
    return false;
  }

  #tell(subscriber: Subscriber, event: AuditEvent): void {
    if (!this.#mayListen(subscriber)) return;
    if (subscriber.response.writableLength > PENDING_BYTES_MAX) this.#drop(subscriber);
    else
      this.#write(
        subscriber,
        event.kind,
        JSON.stringify(event.kind === 'receipt' ? event.receipt : event.action),
      );
  }

  #write(subscriber: Subscriber, name: string, json: string): void {
    this.#admitDrops(subscriber);
    subscriber.response.write(`event: ${name}\ndata: ${json}\n\n`);
  }

  /** What he did not get is told before what he gets next. */
  #admitDrops(subscriber: Subscriber): void {
    if (subscriber.dropped === 0) return;
    subscriber.response.write(`event: dropped\ndata: {"count":${subscriber.dropped}}\n\n`);
    subscriber.dropped = 0;
  }

  #drop(subscriber: Subscriber): void {
    subscriber.dropped++;
    this.#dropped++;
  }

  #beat(subscriber: Subscriber): void {
    const { response } = subscriber;
    if (!this.#mayListen(subscriber)) return;
    if (response.writableLength === 0) {
      subscriber.stalled = false;
      response.write(': alive\n\n');
    } else if (subscriber.stalled) {
      response.destroy();
    } else {
      subscriber.stalled = true;
      response.once('drain', () => {
        subscriber.stalled = false;
      });
    }
  }
}
