import type { Logger } from 'pino';
import type { Headgate, Listening } from '../app.ts';
import type { Loaded } from '../config/load-object.ts';
import { loadObject } from '../config/load-object.ts';
import type { ConfigOptions } from '../config/options.ts';
import { formatProblem } from '../config/problem.ts';
import type { Reason } from '../core/reasons.ts';
import type { StreamSnapshot, StreamTotals } from '../core/stream.ts';
import type { Receipt } from '../core/verdict.ts';
import type { LimitOverride, Readiness } from '../http/ports.ts';
import { cooldown, limitChange } from '../http/quantities.ts';
import { snapshotOf } from '../ingest/snapshot.ts';
import { monotonicMs } from '../lib/clock.ts';
import { gateReading, readinessOf } from './governance-view.ts';
import { StreamsView } from './streams-view.ts';

/** What a program sees of a server that runs inside it. Field names of what it returns are those of the HTTP API. */
export interface HeadgateControl {
  /** Where it listens; null = off. Filled in by the start. */
  readonly listening: Readonly<Listening>;
  /** Every live stream, oldest first. */
  streams(): StreamSnapshot[];
  /** One live stream by its id (`s-7k2f1`) or path (`/live/cam1`), or null. */
  stream(idOrPath: string): StreamSnapshot | null;
  /** Sums over all live streams. */
  totals(): StreamTotals;
  /** Whether publishers are being let in, and if not, why. */
  readiness(): Readiness;
  /** The last receipts that match, newest first. */
  receipts(filter?: ReceiptQuery): Receipt[];
  /** Disconnects a publisher; its receipt's id, or null when there is no such stream. */
  kick(id: string, options?: KickOptions): string | null;
  /** Changes limits of one live stream; the stream as it now is, or null when there is none. `null` takes a change back. */
  limit(id: string, change: LimitChange): StreamSnapshot | null;
  /** Puts another config in force, for live streams too. Throws ConfigError and changes nothing when it is wrong. */
  configure(options: ConfigOptions): void;
  /** Tells of every event of that kind; returns how to stop. At most 64 listeners of receipts. */
  on<E extends keyof HeadgateEvents>(event: E, listener: (event: HeadgateEvents[E]) => void): () => void;
}

/** What can be listened to. Listeners are called at once; what one throws is an uncaught exception of the program. */
export interface HeadgateEvents {
  /** a refusal, throttle, drop or cut has been written down */
  receipt: Receipt;
  /** a stream has begun or ended */
  stream: { readonly type: 'started' | 'ended'; readonly stream: StreamSnapshot };
}

export interface ReceiptQuery {
  /** a receipt's id, an address, client, path, stream id or name */
  readonly key?: string;
  readonly reason?: Reason;
  /** at most this many; 100 when absent */
  readonly limit?: number;
}

export interface KickOptions {
  /** how long key and address are refused, `'30s'`; the stream's own cooldown when absent */
  readonly cooldown?: string;
  /** for the receipt */
  readonly reason?: string;
}

/** New limits with their units, as in the config. */
export interface LimitChange {
  readonly max_bitrate?: string | null;
  readonly max_fps?: string | null;
  readonly max_packets_per_sec?: string | null;
  readonly on_exceed?: 'observe' | 'throttle' | 'drop' | 'disconnect' | null;
  readonly grace?: string | null;
  /** how long they hold; until the stream ends when absent */
  readonly for?: string;
}

export interface EmbeddedOptions {
  /** the program's own pino logger; nothing is logged when absent */
  readonly logger?: Logger;
}

/** Receipts asked for at once where the caller does not say. */
const RECEIPTS = 100;

/** For the audit trail: who acts when the program does. */
const BY = 'program';

/** The handle over a running server. `shaped` makes a config that was read fit for where the server stands. */
export function controlOf(headgate: Headgate, shaped: (loaded: Loaded) => Loaded): HeadgateControl {
  const { ingest, telemetry } = headgate;
  const view = new StreamsView({
    registry: ingest.registry,
    desk: ingest.desk,
    audit: telemetry.audit,
    connections: () => ingest.connections,
  });
  const find = (text: string) => ingest.registry.find(text) ?? ingest.registry.at(text);
  return {
    listening: headgate.listening,
    streams: () => [...view.batches()].flat(),
    stream: (text) => {
      const stream = find(text);
      return stream === undefined ? null : snapshotOf(stream, monotonicMs());
    },
    totals: () => view.totals(),
    readiness: () => {
      const snapshot = ingest.governance.snapshot(monotonicMs());
      return readinessOf(gateReading(snapshot, headgate.drainingSince), null);
    },
    receipts: ({ limit = RECEIPTS, ...filter } = {}) => telemetry.audit.query({ ...filter, limit }),
    kick: (id, { cooldown: text, reason = null } = {}) => {
      const cooldownMs = text === undefined ? null : read(cooldown, text, 'cooldown');
      return view.kick(id, { cooldownMs, reason, by: BY })?.receipt ?? null;
    },
    limit: (id, change) => {
      const { for: forMs, ...limits } = read(limitChange, change, 'change');
      return view.override(id, present(limits), forMs ?? null, BY);
    },
    configure: (options) => headgate.reload(shaped(loadObject(options)), BY),
    on: (event, listener) => listen(headgate, event, listener as (event: unknown) => void),
  };
}

function listen(
  { ingest, telemetry }: Headgate,
  event: keyof HeadgateEvents,
  listener: (event: unknown) => void,
): () => void {
  const tell = apart(listener);
  if (event === 'receipt') {
    const stop = telemetry.audit.subscribe((entry) => {
      if (entry.kind === 'receipt') tell(entry.receipt);
    });
    if (stop === null) throw new RangeError('too many listeners of receipts');
    return stop;
  }
  if (event !== 'stream')
    throw new RangeError(`there is no event ${JSON.stringify(event)}: receipt or stream`);
  return ingest.registry.watch({
    added: (stream) => tell({ type: 'started', stream: snapshotOf(stream, monotonicMs()) }),
    removed: (stream) => tell({ type: 'ended', stream: snapshotOf(stream, monotonicMs()) }),
  });
}

/** What the program's listener throws must not end the decision that it heard of half-way. */
function apart(listener: (event: unknown) => void): (event: unknown) => void {
  return (event) => {
    try {
      listener(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}

/** Without the keys that are undefined: those mean what absent ones do. */
function present(change: { [Name in keyof LimitOverride]: LimitOverride[Name] | undefined }): LimitOverride {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

/** Reads what the program wrote with a schema of the API; a mistake is the program's. */
function read<T>(schema: { safeParse(input: unknown): Outcome<T> }, input: unknown, what: string): T {
  const outcome = schema.safeParse(input);
  if (outcome.success) return outcome.data;
  const told = outcome.error.issues.map(({ path, message }) =>
    [what, ...path].join('.').concat(': ', message),
  );
  throw new RangeError(told.join('; '));
}

type Outcome<T> =
  | { readonly success: true; readonly data: T }
  | {
      readonly success: false;
      readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] };
    };

/** Warnings of a config go to the log: they stop nothing. */
export function warn(headgate: Headgate, { warnings }: Loaded): void {
  for (const warning of warnings) headgate.telemetry.logger.warn(formatProblem(warning));
}
