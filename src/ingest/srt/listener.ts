import { lookup } from 'node:dns/promises';
import { refusal } from '../../core/admission/denials.ts';
import type { Denial } from '../../core/verdict.ts';
import { monotonicMs } from '../../lib/clock.ts';
import { ipKey } from '../../lib/ip.ts';
import { type NativeSrtListener, SRT_RECORD, type SrtEntry, type SrtEvent } from '../../native/srt.ts';
import { listenError } from '../rtmp/accept.ts';
import { notAsPacketsDetail, nothingToPlayDetail } from './codes.ts';
import type { DoorTables } from './door.ts';
import { causeOf, type DoorCause, explain } from './explain.ts';
import { noCounts, type SrtCounts } from './figures.ts';
import { SrtPlayer } from './player.ts';
import { type SrtOrigin, SrtPublisher } from './publisher.ts';
import { doorRules } from './rules.ts';
import type { SrtAddress, SrtServices } from './services.ts';

/**
 * One UDP port with everybody who came in through it.
 *
 * Who closes whom: a connection leaves when the native side says that it is
 * closed, whoever closed it, and gives everything back then; `stop` ends those
 * that are left.
 */

/** Payload on its way to players, bytes: a second of eight streams of 4 Mbit/s that are watched. */
const SLAB_BYTES = 4 * 1024 * 1024;

/** Records of payload in one batch; at most one per datagram or so. */
const RECORDS = 8_192;

/** Connections of one listener, whatever the config says: the most that the native side takes. */
const CONNECTIONS_MAX = 65_536;

/** Below this much room for datagrams in the kernel a busy moment loses some, bytes: 100 ms of 200 Mbit/s. */
const RECEIVE_BUFFER_ADVISED = 2_500_000;

type Event<T extends SrtEvent['type']> = Extract<SrtEvent, { type: T }>;

const CLOSED_WORDS: Readonly<Record<Event<'closed'>['how'], string>> = {
  peer: 'connection closed',
  timeout: 'connection lost: nothing was heard of the publisher',
  broken: 'connection broken',
  local: 'closed by the server',
};

/** Sums of what is gone, so that counters never go down. */
export interface ListenerTally {
  readonly refused: Partial<Record<DoorCause, number>>;
  readonly counts: SrtCounts;
  /** refusals and log lines that found the queue to JavaScript full */
  lostEvents: number;
  /** payload for players that found the slab full, bytes */
  lostMediaBytes: number;
}

export class SrtListener {
  readonly address: SrtAddress;
  readonly tally: ListenerTally = { refused: {}, counts: noCounts(), lostEvents: 0, lostMediaBytes: 0 };
  readonly #services: SrtServices;
  readonly #tables: DoorTables;
  readonly #native: NativeSrtListener;
  readonly #slab = new Uint8Array(SLAB_BYTES);
  readonly #records = new Float64Array(RECORDS * SRT_RECORD.STRIDE);
  readonly #publishers = new Map<number, SrtPublisher>();
  readonly #players = new Map<number, SrtPlayer>();
  /** those that wait for the stream they left behind */
  readonly #returning = new Set<SrtPublisher>();

  private constructor(services: SrtServices, tables: DoorTables, address: SrtAddress, host: string) {
    this.#services = services;
    this.#tables = tables;
    this.address = address;
    const { addon, slab } = services;
    const options = {
      host,
      port: address.port,
      latencyMs: address.latency,
      connectionsMax: CONNECTIONS_MAX,
      slab: this.#slab,
      records: this.#records,
      clockMs: monotonicMs(),
    };
    const { SrtListener: Native } = addon();
    this.#native = new Native(slab.nodes, slab.streams, options, (events, count, first) =>
      this.#batch(events, count, first),
    );
    this.setRules();
  }

  /** Throws HG_LISTEN. */
  static async open(services: SrtServices, tables: DoorTables, address: SrtAddress): Promise<SrtListener> {
    try {
      const resolved = await lookup(address.host);
      const listener = new SrtListener(services, tables, address, resolved.address);
      listener.#warn();
      return listener;
    } catch (error) {
      throw listenError(address, error as NodeJS.ErrnoException);
    }
  }

  get port(): number {
    return this.#native.port;
  }

  get connections(): number {
    return this.#publishers.size + this.#players.size;
  }

  /** Some wait to come back: `retryReturns` is to be called soon. */
  get hasReturning(): boolean {
    return this.#returning.size > 0;
  }

  /** Tells the door what the config says. */
  setRules(): void {
    const { port, host, passphrase } = this.address;
    const now = this.#services.listeners().find((other) => other.host === host && other.port === port);
    this.#native.setRules(doorRules(this.#services.door(), (now ?? { passphrase }).passphrase));
  }

  setEntries(entries: readonly SrtEntry[], version: number): void {
    this.#native.setEntries(entries, version);
  }

  /** Lets those try again who wait for the stream they left behind. */
  retryReturns(now: number): void {
    for (const publisher of this.#returning) {
      this.#apart(publisher.origin.id, () => publisher.publish(now, now));
      if (!publisher.waits) this.#returning.delete(publisher);
    }
  }

  /** A few times a second. */
  round(now: number): void {
    for (const publisher of this.#publishers.values()) publisher.refresh(now);
  }

  /** Counts of all connections so far, those that are gone included. */
  counts(): SrtCounts {
    const sum = { ...this.tally.counts };
    for (const publisher of this.#publishers.values()) publisher.countInto(sum);
    return sum;
  }

  /** Closes every connection; that they are closed is told later. */
  dismiss(): void {
    for (const id of [...this.#publishers.keys(), ...this.#players.keys()]) this.#native.close(id);
  }

  /** Resolves when the port is free and everything has been given back. */
  async stop(): Promise<void> {
    await this.#native.stop();
    const now = monotonicMs();
    for (const id of [...this.#publishers.keys(), ...this.#players.keys()]) this.#closed(id, 'local', now);
  }

  #batch(events: readonly SrtEvent[], mediaRecords: number, firstRecord: number): void {
    for (let record = firstRecord; record < firstRecord + mediaRecords; record++) {
      const at = record * SRT_RECORD.STRIDE;
      const id = this.#records[at + SRT_RECORD.ID] as number;
      const publisher = this.#publishers.get(id);
      if (publisher === undefined) continue;
      const start = this.#records[at + SRT_RECORD.OFFSET] as number;
      const end = start + (this.#records[at + SRT_RECORD.LENGTH] as number);
      const flags = this.#records[at + SRT_RECORD.FLAGS] as number;
      this.#apart(id, () => publisher.media(this.#slab.subarray(start, end), flags));
    }
    // Each at its own time: a decision is said to have taken as long as it took, not as all before it.
    for (const event of events) {
      this.#apart('id' in event ? event.id : null, () => this.#event(event, monotonicMs()));
    }
  }

  /** What goes wrong for one connection ends that one: the others in the batch must not miss what it tells of them. */
  #apart(id: number | null, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#services.log.error({ err: error }, 'serving an SRT connection failed: it is closed');
      if (id !== null) this.#native.close(id);
    }
  }

  #event(event: SrtEvent, now: number): void {
    const { log } = this.#services;
    switch (event.type) {
      case 'accepted':
        this.#accepted(event, now);
        return;
      case 'closed':
        this.#closed(event.id, event.how, now);
        return;
      case 'refused':
        this.#refused(event, now);
        return;
      case 'log':
        // What libsrt calls an error is the nonsense of a stranger; the server's own errors are told elsewhere.
        log[event.level === 'error' ? 'warn' : event.level]({ part: 'libsrt' }, event.text);
        return;
      case 'lost':
        this.tally.lostEvents += event.events;
        this.tally.lostMediaBytes += event.mediaBytes;
    }
  }

  /** The door repeats what was true a moment ago: here admission itself is asked. */
  #accepted(event: Event<'accepted'>, now: number): void {
    const { admission, decisions } = this.#services;
    const verdict = admission.connect(event.ip, now);
    if (!verdict.allowed) {
      this.#refuseAtAccept(event, verdict, now);
      return;
    }
    decisions.admitted('ip', monotonicMs() - now);
    if (event.play) this.#seat(event, verdict.lease, now);
    else this.#publish(event, verdict.lease, now);
  }

  #publish(origin: SrtOrigin, lease: SrtPublisher['lease'], now: number): void {
    const { latency } = this.address;
    const publisher = new SrtPublisher(this.#services, this.#native, origin, lease, latency, now);
    this.#publishers.set(origin.id, publisher);
    publisher.publish(now, now);
    if (publisher.waits) this.#returning.add(publisher);
  }

  #seat(event: Event<'accepted'>, lease: SrtPublisher['lease'], now: number): void {
    const player = SrtPlayer.seat(this.#services, this.#native, event, lease);
    if (player !== null) {
      this.#players.set(event.id, player);
      return;
    }
    lease.release(now);
    this.#native.close(event.id);
    this.#refusePlayer(event, now);
  }

  /** The door lets in whoever asks for a path that is live: some of it only playback knows. */
  #refusePlayer({ ip, app, name }: SrtOrigin, now: number): void {
    const { playback, decisions, door } = this.#services;
    const path = `/${app}/${name}`;
    const refused = playback.refusal(path, 'packets');
    if (refused === 'full' || refused === null) {
      this.#count('limit', 1);
      return;
    }
    this.#count('no_such_stream', 1);
    const known = refused === 'not_as_packets';
    const detail = known ? notAsPacketsDetail(path) : nothingToPlayDetail('');
    const decision = refusal('protocol_error', ipKey(ip, door().ipv6Prefix), Number.POSITIVE_INFINITY);
    const subject = { ip, protocol: 'srt', path: known ? path : null, client: null, stream: null };
    decisions.refusedAtDoor(decision, subject, detail, 1, now);
  }

  #refuseAtAccept({ id, ip }: Event<'accepted'>, denial: Denial, now: number): void {
    this.#native.close(id);
    const subject = { ip, protocol: 'srt', path: null, client: null, stream: null };
    this.#services.decisions.record(
      'refuse',
      denial,
      subject,
      'closed at accept, before anything was read',
      now,
    );
  }

  #refused(event: Event<'refused'>, now: number): void {
    this.#count(causeOf(event), event.count);
    const { decisions, door } = this.#services;
    const told = explain(event, this.#tables, ipKey(event.ip, door().ipv6Prefix), now);
    if (told === null) return;
    const subject = {
      ip: event.ip,
      protocol: 'srt',
      path: event.path || null,
      client: event.client || null,
      stream: null,
    };
    decisions.refusedAtDoor(told.decision, subject, told.detail, event.count, now);
  }

  #closed(id: number, how: Event<'closed'>['how'], now: number): void {
    const publisher = this.#publishers.get(id);
    if (publisher !== undefined) {
      this.#publishers.delete(id);
      this.#returning.delete(publisher);
      publisher.countInto(this.tally.counts);
      publisher.closed(CLOSED_WORDS[how], now);
    }
    const player = this.#players.get(id);
    this.#players.delete(id);
    player?.closed(now);
  }

  #count(cause: DoorCause, times: number): void {
    this.tally.refused[cause] = (this.tally.refused[cause] ?? 0) + times;
  }

  #warn(): void {
    const { log } = this.#services;
    const { receiveBufferBytes, guarded } = this.#native;
    const place = { host: this.address.host, port: this.port };
    if (!guarded) {
      log.warn(
        place,
        'SRT packets that can crash libsrt are not filtered out on this system: let only publishers you trust reach the port',
      );
    }
    if (receiveBufferBytes < RECEIVE_BUFFER_ADVISED) {
      log.warn(
        { ...place, receive_buffer_bytes: receiveBufferBytes },
        'the system gives SRT little room for packets that wait: many publishers will lose some; raise it with sysctl -w net.core.rmem_max=8388608',
      );
    }
  }
}
