/**
 * What is known of the server now. The feed fills it; components read it with `useLive`, and are drawn at most once per
 * animation frame, however much came.
 */
import type { StreamSnapshot, StreamTotals } from '../../src/core/stream.ts';
import type { Receipt } from '../../src/core/verdict.ts';
import type { NodeSnapshot } from '../../src/http/ports.ts';
import type { OperatorAction } from '../../src/telemetry/events.ts';
import { useSyncExternalStore } from '../hooks.ts';
import { startFeed } from './feed.ts';
import { Samples } from './samples.ts';

/** Receipts and actions kept here: what a page shows at once; the server keeps more. */
const EVENTS_MAX = 200;

/** Bitrates kept of each stream for its sparkline: a minute at one a second. */
export const SPARK_SAMPLES = 60;

/** Seconds of the node's charts. */
const NODE_SAMPLES = 300;

/**
 * From so many streams on a snapshot comes every other second: nobody reads so much in one, and it is a megabyte. It is
 * every second again when they have become clearly fewer.
 */
const MANY_STREAMS = 500;
const FEW_STREAMS = 400;

export interface Live {
  /** live streams, oldest first; of a great many the first, see `omitted` */
  readonly streams: readonly StreamSnapshot[];
  /** live streams that are not in `streams` */
  readonly omitted: number;
  /** null until the first snapshot */
  readonly totals: StreamTotals | null;
  /** the node as a whole; null until it was told */
  readonly node: NodeSnapshot | null;
  /** since this page was opened, newest first */
  readonly receipts: readonly Receipt[];
  readonly actions: readonly OperatorAction[];
  /** performance.now() of the last snapshot, null before the first */
  readonly snapshotAtMs: number | null;
}

/** What is kept of the node from second to second; the server's own history has the same names. */
export const NODE_COLUMNS = [
  'bitrate_bps',
  'budget_bps',
  'streams',
  'connections',
  'cpu',
  'heap',
  'memory',
  'event_loop',
  'denied_per_s',
] as const;

export type NodeColumn = (typeof NODE_COLUMNS)[number];

let live: Live = {
  streams: [],
  omitted: 0,
  totals: null,
  node: null,
  receipts: [],
  actions: [],
  snapshotAtMs: null,
};

/** the node's last five minutes */
export const nodeSamples = new Samples(NODE_COLUMNS, NODE_SAMPLES);

/** what had been refused, with each of the node's last samples of this run of the server */
export const deniedMarks: { readonly atMs: number; readonly denied: NodeSnapshot['denied'] }[] = [];

const bitrates = new Map<string, Samples<'bps'>>();
const listeners = new Set<() => void>();
let drawing = false;

/** Server time minus this machine's, ms: its clock may be wrong by hours. */
let clockOffsetMs = 0;

/** The server's wall time now, ms. */
export function serverNowMs(): number {
  return Date.now() + clockOffsetMs;
}

/** Bitrates of a live stream since this page was opened, up to SPARK_SAMPLES, oldest first. */
export function bitratesOf(id: string): (number | null)[] {
  return bitrates.get(id)?.values('bps') ?? [];
}

/** What `select` picks; the component is drawn again when that changes (by identity). */
export function useLive<T>(select: (live: Live) => T): T {
  return useSyncExternalStore(subscribe, () => select(live));
}

/** Told after each change, at most once per animation frame. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function currentLive(): Live {
  return live;
}

function change(part: Partial<Live>): void {
  live = { ...live, ...part };
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    for (const listener of listeners) listener();
  });
}

interface StreamsEvent {
  readonly at: string;
  readonly streams: readonly StreamSnapshot[];
  readonly omitted: number;
  readonly totals: StreamTotals;
}

function onSnapshot({ at, streams, omitted, totals }: StreamsEvent): void {
  const atMs = Date.parse(at);
  clockOffsetMs = atMs - Date.now();
  for (const { id, usage } of streams) {
    let samples = bitrates.get(id);
    if (samples === undefined) {
      samples = new Samples(['bps'], SPARK_SAMPLES);
      bitrates.set(id, samples);
    }
    samples.push(atMs, { bps: usage.bitrate_bps });
  }
  if (bitrates.size > streams.length) {
    const alive = new Set(streams.map(({ id }) => id));
    for (const id of bitrates.keys()) if (!alive.has(id)) bitrates.delete(id);
  }
  change({ streams, omitted, totals, snapshotAtMs: performance.now() });
  keepPace(totals.streams);
}

function deniedOf(node: NodeSnapshot | null): number {
  return Object.values(node?.denied ?? {}).reduce((sum, count) => sum + count, 0);
}

function onNode(node: NodeSnapshot): void {
  const { resources } = node;
  const before = live.node;
  const atMs = Date.parse(node.at);
  const seconds = before === null ? 0 : (atMs - Date.parse(before.at)) / 1_000;
  const sameRun = before?.about.started_at === node.about.started_at;
  const value = (name: keyof typeof resources.resources) => resources.resources[name].value ?? Number.NaN;
  nodeSamples.push(atMs, {
    bitrate_bps: node.totals.bitrate_bps,
    budget_bps: resources.shares.budget_bps ?? Number.NaN,
    streams: node.totals.streams,
    connections: node.totals.connections,
    cpu: value('cpu'),
    heap: value('heap'),
    memory: value('memory'),
    event_loop: value('event_loop'),
    denied_per_s: sameRun && seconds > 0 ? (deniedOf(node) - deniedOf(before)) / seconds : Number.NaN,
  });
  // Of another run, or of a clock that was set back.
  if (!sameRun || seconds < 0) deniedMarks.length = 0;
  deniedMarks.push({ atMs, denied: node.denied });
  if (deniedMarks.length > NODE_SAMPLES) deniedMarks.shift();
  change({ node });
}

function onEvent(event: string, content: unknown): void {
  if (event === 'snapshot') onSnapshot(content as StreamsEvent);
  else if (event === 'node') onNode(content as NodeSnapshot);
  else if (event === 'receipt')
    change({ receipts: [content as Receipt, ...live.receipts].slice(0, EVENTS_MAX) });
  else if (event === 'audit')
    change({ actions: [content as OperatorAction, ...live.actions].slice(0, EVENTS_MAX) });
}

let restart: () => void = () => undefined;

/** `?interval=` of the feed */
let pace: '1s' | '2s' = '1s';

function keepPace(streams: number): void {
  const wanted = streams > MANY_STREAMS ? '2s' : streams < FEW_STREAMS ? '1s' : pace;
  if (wanted === pace) return;
  pace = wanted;
  restart();
}

/** Connects; called once. */
export function startLive(): void {
  restart = startFeed(onEvent, () => pace);
}

/** Connects anew, now. */
export function reconnect(): void {
  restart();
}
