import { Admission } from '../../../../src/core/admission/admission.ts';
import { Slab } from '../../../../src/core/meter/slab.ts';
import { PolicyResolver } from '../../../../src/core/policy/resolve.ts';
import type { Receipt } from '../../../../src/core/verdict.ts';
import { Budgets } from '../../../../src/ingest/budgets.ts';
import { IdentityDirectory } from '../../../../src/ingest/identity.ts';
import { Playback } from '../../../../src/ingest/playback/playback.ts';
import type { Decision, DecisionRecorder, DecisionSubject } from '../../../../src/ingest/ports.ts';
import { PublishDesk } from '../../../../src/ingest/publish-desk.ts';
import { StreamRegistry } from '../../../../src/ingest/registry.ts';
import type { DoorConfig } from '../../../../src/ingest/srt/rules.ts';
import { SrtServer } from '../../../../src/ingest/srt/server.ts';
import type { SrtAddress } from '../../../../src/ingest/srt/services.ts';
import { StreamTally } from '../../../../src/ingest/stream-tally.ts';
import type {
  NativeSrtListener,
  SrtAddon,
  SrtBatch,
  SrtEntry,
  SrtEvent,
  SrtListenerOptions,
  SrtRules,
} from '../../../../src/native/srt.ts';

import { FakePressure } from '../fake-pressure.ts';

/** The whole of SRT ingest over a listener made by hand, whose thread is the test. */

const PLENTY = { count: 1000, periodMs: 1000 };

const STREAM_LIMITS = {
  max_bitrate: 6e6,
  bitrate_window: 2000,
  max_fps: 60,
  max_packets_per_sec: 2000,
  on_exceed: 'throttle',
  grace: 10_000,
  cooldown: 30_000,
} as const;

export class FakeListener implements NativeSrtListener {
  readonly port = 9000;
  receiveBufferBytes = 8_388_608;
  guarded = true;
  rules: SrtRules | null = null;
  entries: readonly SrtEntry[] = [];
  version = 0;
  /** what was asked of it, in order */
  readonly calls: string[] = [];
  /** slots by the ids that are attached */
  readonly attached = new Map<number, number>();
  /** ids for which `attach` answers that they are gone */
  readonly gone = new Set<number>();
  /** player ids with no room in the send buffer */
  readonly stuck = new Set<number>();
  readonly sent: string[] = [];
  statsOf: (out: Float64Array) => boolean = () => true;
  readonly options: SrtListenerOptions;
  readonly #onBatch: SrtBatch;

  constructor(options: SrtListenerOptions, onBatch: SrtBatch) {
    this.options = options;
    this.#onBatch = onBatch;
  }

  setRules(rules: SrtRules): void {
    this.rules = rules;
  }

  setEntries(entries: readonly SrtEntry[], version: number): void {
    this.entries = entries;
    this.version = version;
  }

  attach(id: number, slot: number): boolean {
    this.calls.push(`attach ${id}`);
    if (this.gone.has(id)) return false;
    this.attached.set(id, slot);
    return true;
  }

  detach(id: number): void {
    if (this.attached.delete(id)) this.calls.push(`detach ${id}`);
  }

  close(id: number): void {
    this.calls.push(`close ${id}`);
    this.attached.delete(id);
  }

  send(_id: number, payload: Uint8Array): boolean {
    this.sent.push(Buffer.from(payload).toString());
    return true;
  }

  stats(_id: number, out: Float64Array): boolean {
    return this.statsOf(out);
  }

  tables(): Uint8Array {
    return new Uint8Array(0);
  }

  stop(): Promise<void> {
    this.calls.push('stop');
    return Promise.resolve();
  }

  // -- what its thread does ---------------------------------------------------------------------------

  tell(...events: SrtEvent[]): void {
    this.#onBatch(events, 0, 0);
  }

  /** A batch with one record of payload, which came before the events. */
  media(id: number, payload: string, flags: number, ...events: SrtEvent[]): void {
    const bytes = Buffer.from(payload);
    this.options.slab.set(bytes);
    this.options.records.set([id, 0, bytes.length, flags]);
    this.#onBatch(events, 1, 0);
  }

  accepted(id: number, name: string, change: Partial<Extract<SrtEvent, { type: 'accepted' }>> = {}): void {
    this.tell({
      type: 'accepted',
      id,
      ip: '192.0.2.10',
      port: 40_000 + id,
      play: false,
      modeGiven: true,
      app: 'live',
      name,
      key: '',
      encrypted: false,
      ...change,
    });
  }

  refused(change: Partial<Extract<SrtEvent, { type: 'refused' }>>): void {
    this.tell({
      type: 'refused',
      ip: '192.0.2.10',
      port: 40_000,
      cause: 0,
      version: this.version,
      code: 1402,
      play: false,
      path: '',
      client: '',
      streamIdError: '',
      count: 1,
      ...change,
    });
  }

  closed(id: number, how: Extract<SrtEvent, { type: 'closed' }>['how'] = 'peer'): void {
    this.tell({ type: 'closed', id, how });
  }
}

export interface Written extends Decision, DecisionSubject {
  readonly action: Receipt['action'];
  readonly detail: string;
  readonly times: number;
}

/** Receipts and notes, kept in a list. */
class Notebook implements DecisionRecorder {
  readonly written: Written[] = [];
  readonly notes: string[] = [];

  record(action: Receipt['action'], decision: Decision, subject: DecisionSubject, detail: string): Receipt {
    this.written.push({ ...decision, ...subject, action, detail, times: 1 });
    return { id: `r-${this.written.length}` } as Receipt;
  }

  refusedAtDoor(decision: Decision, subject: DecisionSubject, detail: string, times: number): void {
    this.written.push({ ...decision, ...subject, action: 'refuse', detail, times });
  }

  admitted(): void {}

  note(event: string, { path }: DecisionSubject, facts: Record<string, unknown>): void {
    this.notes.push(`${event} ${path} ${facts['how'] ?? ''}`.trim());
  }
}

export interface FakeConfig extends Partial<DoorConfig> {
  readonly global?: { max_connections?: number; max_streams?: number };
  readonly maxStreams?: number;
  readonly listeners?: readonly SrtAddress[];
  readonly system?: Partial<Pick<NativeSrtListener, 'receiveBufferBytes' | 'guarded'>>;
}

export class FakeSrt {
  config: FakeConfig;
  readonly slab = new Slab({ streams: 16, sharedNodes: 33 });
  readonly registry = new StreamRegistry();
  readonly admission: Admission;
  readonly playback: Playback;
  readonly desk: PublishDesk;
  readonly notebook = new Notebook();
  readonly pressure = new FakePressure();
  readonly logged: string[] = [];
  readonly natives: FakeListener[] = [];
  readonly server: SrtServer;

  static async open(config: FakeConfig = {}): Promise<FakeSrt> {
    const srt = new FakeSrt(config);
    await srt.server.listen();
    return srt;
  }

  constructor(config: FakeConfig = {}, available = true) {
    this.config = config;
    const global = { max_connections: 100, connection_rate: PLENTY, max_streams: 100, ...config.global };
    const ip = { max_connections: 100, connection_rate: PLENTY, ipv6_prefix: 64 };
    this.admission = new Admission({ limits: { global, ip }, allow: [], deny: [] }, [this.pressure.gate]);
    this.playback = new Playback({ maxPlayers: 1, maxQueueBytes: 1e6 }, { info: () => {} });
    const { mode = 'open', clients = [], policies = [] } = config;
    const budgets = new Budgets(this.slab, Number.POSITIVE_INFINITY);
    const client = {
      max_streams: config.maxStreams ?? 10,
      max_bandwidth: Number.POSITIVE_INFINITY,
      publish_rate: PLENTY,
    };
    const identities = new IdentityDirectory({
      mode,
      clients: clients.map((entry) => ({ ...entry, priority: 50 })),
    });
    const resolver = new PolicyResolver({
      stream: STREAM_LIMITS,
      client,
      tiers: {},
      clients: [],
      policies: [],
    });
    this.desk = new PublishDesk({
      admission: this.admission,
      slab: this.slab,
      budgets,
      registry: this.registry,
      playback: this.playback,
      decisions: this.notebook,
      tally: new StreamTally(this.registry),
      pressure: this.pressure,
      preempts: () => false,
      identities: () => identities,
      resolver: () => resolver,
      ipBps: () => Number.POSITIVE_INFINITY,
    });
    const told = (level: string) => (_fields: object, text: string) =>
      void this.logged.push(`${level} ${text}`);
    this.server = new SrtServer({
      addon: () => this.#addon(available),
      slab: this.slab,
      admission: this.admission,
      desk: this.desk,
      playback: this.playback,
      registry: this.registry,
      decisions: this.notebook,
      log: { debug: told('debug'), info: told('info'), warn: told('warn'), error: told('error') },
      demuxer: () => ({ convertible: true, feed() {}, replay() {} }),
      door: () => ({ mode, ipv6Prefix: 64, allow: [], deny: [], clients, policies, ...this.config }),
      listeners: () =>
        this.config.listeners ?? [{ host: '127.0.0.1', port: 9000, latency: 120, passphrase: null }],
      limitsOf: () => client,
    });
  }

  /** Its first listener. */
  get native(): FakeListener {
    return this.natives[0] as FakeListener;
  }

  #addon(available: boolean): SrtAddon {
    const { natives, config } = this;
    return {
      available,
      version: '1.5.0',
      reason: available ? '' : 'libsrt is not there',
      SrtListener: class extends FakeListener {
        constructor(
          _nodes: Float64Array,
          _streams: Float64Array,
          options: SrtListenerOptions,
          onBatch: SrtBatch,
        ) {
          super(options, onBatch);
          Object.assign(this, config.system);
          natives.push(this);
        }
      },
    };
  }
}
