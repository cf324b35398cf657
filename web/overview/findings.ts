/**
 * Is everything all right, and if not: what, since when, why, and what to do. Findings are made from the node's snapshot
 * and its streams alone, worst first; no finding means that all is well.
 */
import { REASON_OF, RESOURCES, type Resource } from '../../src/core/pressure/resources.ts';
import type { Reason } from '../../src/core/reasons.ts';
import type { StreamSnapshot, StreamState } from '../../src/core/stream.ts';
import { REASON_WORDS } from '../../src/core/words/reasons.ts';
import type { NodeSnapshot } from '../../src/http/ports.ts';
import { bps, clock, count, duration, percent, plural } from '../format.ts';
import { href } from '../route.ts';
import { RESOURCE_WORDS, strainText } from './resource-words.ts';

export interface Finding {
  /** the same from one snapshot to the next while it is about the same thing */
  readonly key: string;
  readonly tone: keyof typeof RANK;
  /** what is wrong: a sentence without its full stop */
  readonly what: string;
  /** ISO time, null where it has none */
  readonly since: string | null;
  /** what to do, a sentence without its full stop; null where nothing is to be done */
  readonly advice: string | null;
  /** where to look on */
  readonly link: { readonly href: string; readonly text: string } | null;
}

export interface Scene {
  readonly node: NodeSnapshot;
  readonly streams: readonly StreamSnapshot[];
  /** refusals of the last minute by reason */
  readonly refused: Readonly<Partial<Record<Reason, number>>>;
  /** who gave the order to shed that is in force; null while nobody knows */
  readonly orderedBy: string | null;
}

/** Part of a limit from which on an operator wants to know before it is reached. */
const NEARLY_FULL = 0.9;

const RANK = { bad: 0, warn: 1, info: 2 } as const;

export function findingsOf(scene: Scene): readonly Finding[] {
  const { node } = scene;
  const found = [
    gateFinding(node),
    ...RESOURCES.map((resource) => resourceFinding(resource, node)),
    configFinding(node),
    orderFinding(scene),
    sheddingFinding(node),
    adaptiveFinding(node),
    ...budgetFindings(node),
    ...streamFindings(scene.streams),
    refusalFinding(scene),
  ].filter((finding) => finding !== null);
  return found.sort((a, b) => RANK[a.tone] - RANK[b.tone]);
}

function finding(
  key: string,
  tone: Finding['tone'],
  what: string,
  more: Partial<Pick<Finding, 'since' | 'advice' | 'link'>> = {},
): Finding {
  return { key, tone, what, since: null, advice: null, link: null, ...more };
}

function gateFinding({ resources: { gate }, readiness }: NodeSnapshot): Finding | null {
  if (gate.reasons.includes('draining')) {
    return finding('gate', 'bad', 'The server shuts down: nobody is let in, live publishers are told to go', {
      since: gate.since,
      advice: 'Publishers have to go to another server, or wait until this one is back',
    });
  }
  if (!gate.open) {
    const opens =
      gate.reopens_in_ms === null
        ? ''
        : `; it opens in ${duration(gate.reopens_in_ms)} if the machine stays calm`;
    return finding('gate', 'bad', `The gate is closed: newcomers are refused, live streams go on${opens}`, {
      since: gate.since,
      advice: 'See below which resource closed it; take load off the machine or give it more',
    });
  }
  if (readiness.ready) return null;
  return finding('gate', 'bad', `No newcomers are let in: ${readiness.reasons.join(', ')}`);
}

function resourceFinding(resource: Resource, { resources }: NodeSnapshot): Finding | null {
  const { state, since, cause } = resources.resources[resource];
  const name = RESOURCE_WORDS[resource];
  if (cause !== null) {
    return finding(resource, 'warn', `${name} is not measured: ${cause}`, {
      since,
      advice: 'Its limits are not held until it is; the log says more',
    });
  }
  if (state === 'nominal') return null;
  const reason = REASON_OF[resource];
  return finding(resource, state === 'critical' ? 'bad' : 'warn', strainText(resource, resources), {
    since,
    advice: REASON_WORDS[reason].advice,
    link: { href: href('receipts', null, { reason }), text: 'Who was refused for it' },
  });
}

function configFinding({ readiness: { config_error } }: NodeSnapshot): Finding | null {
  if (config_error === null) return null;
  return finding('config', 'warn', `The last change of the config was refused: ${config_error}`, {
    advice: 'The config before it is still in force. Mend the file, and try it with headgate check',
  });
}

function orderFinding({ node: { resources }, streams, orderedBy }: Scene): Finding | null {
  const { order } = resources.shedding;
  if (order === null) return null;
  const until = order.until === null ? 'until the next order' : `until ${clock(order.until)}`;
  const by = orderedBy === null ? 'by order of an operator' : `by order of ${orderedBy}`;
  const advice = 'To take it back: the Order… button, or headgate backpressure auto';
  const link = { href: href('events', null, { kind: 'backpressure' }), text: 'When it was ordered' };
  if (order.mode === 'off') {
    const what = `Nobody is given up when the machine runs short, ${until}, ${by}`;
    return finding('order', 'warn', what, { advice, link });
  }
  const below = order.below_priority ?? 0;
  // What was cut is gone; what is below it and still there is on its way out.
  const going = streams.filter(({ priority }) => priority < below).length;
  const left = going === 0 ? '' : `; ${plural(going, 'stream')} of those still to go`;
  const what = `Everybody below priority ${below} is given up and refused ${until}, ${by}${left}`;
  return finding('order', 'warn', what, { advice, link });
}

/** What the machine gives up by itself: what an order does is told with the order. */
function sheddingFinding({ resources: { shedding, shares } }: NodeSnapshot): Finding | null {
  const [lowest] = shedding.cohorts;
  if (lowest === undefined) return null;
  const cut = shedding.cohorts.filter(({ ceiling }) => ceiling === 0).length;
  const { shed } = shares.squeezed;
  const what = `To keep the others alive streams are given up, from priority ${lowest.priority} upwards: ${plural(shed, 'stream')} slowed, ${plural(cut, 'group')} cut`;
  return finding('shedding', 'bad', what, {
    advice: 'Take load off the machine or give it more; streams that must live need a higher priority',
    link: { href: href('receipts', null, { reason: 'shed' }), text: 'Who was cut' },
  });
}

function adaptiveFinding({ resources: { adaptive } }: NodeSnapshot): Finding | null {
  if (!adaptive.enabled || adaptive.factor >= 1) return null;
  const cause = adaptive.signal === null ? '' : ` because of ${adaptive.signal.replaceAll('_', ' ')}`;
  const what = `Bandwidth and connection rate of the server are held to ${percent(adaptive.factor)} of what is configured${cause}`;
  return finding('adaptive', 'warn', what, {
    since: adaptive.changed_at,
    advice: 'They grow again by themselves once all signals are below their targets',
  });
}

function budgetFindings({ totals, limits, resources: { shares } }: NodeSnapshot): Finding[] {
  const found: Finding[] = [];
  const nearly = (used: number, limit: number | null) =>
    limit !== null && limit > 0 && used >= limit * NEARLY_FULL;
  if (nearly(totals.streams, limits.max_streams)) {
    const what = `${count(totals.streams)} streams are live and ${count(limits.max_streams)} may be`;
    found.push(finding('streams', 'warn', what, { advice: REASON_WORDS.global_streams.advice }));
  }
  if (nearly(totals.connections, limits.max_connections)) {
    const what = `${count(totals.connections)} connections are open and ${count(limits.max_connections)} may be`;
    found.push(finding('connections', 'warn', what, { advice: REASON_WORDS.global_connections.advice }));
  }
  const { global, client } = shares.squeezed;
  if (global > 0) {
    const what = `${streamsWord(global)} sent less than they want: all together reach the ${bps(shares.budget_bps)} that the server takes in`;
    found.push(finding('budget', 'warn', what, { advice: REASON_WORDS.global_bandwidth.advice }));
  }
  if (client > 0) {
    const what = `${streamsWord(client)} sent less than they want: their clients reach their own bandwidth limits`;
    found.push(
      finding('client', 'info', what, {
        advice: REASON_WORDS.client_bandwidth.advice,
        link: { href: href('clients'), text: 'Which clients' },
      }),
    );
  }
  return found;
}

function streamsWord(number: number): string {
  return number === 1 ? '1 stream is let' : `${count(number)} streams are let`;
}

const STATES: readonly {
  readonly state: StreamState;
  readonly tone: Finding['tone'];
  readonly does: string;
}[] = [
  { state: 'dropping', tone: 'warn', does: 'over a limit and losing video frames' },
  { state: 'exceeding', tone: 'warn', does: 'over a limit' },
  { state: 'throttled', tone: 'info', does: 'slowed down to a limit' },
];

function streamFindings(streams: readonly StreamSnapshot[]): Finding[] {
  return STATES.flatMap(({ state, tone, does }) => {
    const those = streams.filter((stream) => stream.state === state);
    const [only] = those;
    if (only === undefined) return [];
    const alone = those.length === 1;
    const what = alone ? `${only.path} is ${does}` : `${count(those.length)} streams are ${does}`;
    const link = alone
      ? { href: href('streams', only.id), text: 'What it sends' }
      : { href: href('streams', null, { state }), text: 'Which ones' };
    const advice = "Lower the encoder's bitrate or frame rate, or raise the limit of the stream";
    return [finding(state, tone, what, { link, advice })];
  });
}

/** Reasons named in one line. */
const REASONS_NAMED = 3;

function refusalFinding({ refused }: Scene): Finding | null {
  const reasons = Object.entries(refused).sort(([, a], [, b]) => b - a);
  const all = reasons.reduce((sum, [, times]) => sum + times, 0);
  if (all === 0) return null;
  const named = reasons.slice(0, REASONS_NAMED).map(([reason, times]) => `${reason} ${count(times)}`);
  const more = reasons.length > REASONS_NAMED ? ', ...' : '';
  const one = reasons.length === 1 ? (reasons[0]![0] as Reason) : null;
  return finding('refused', 'info', `${count(all)} refused in the last minute: ${named.join(', ')}${more}`, {
    advice: one === null ? null : REASON_WORDS[one].advice,
    link: { href: href('receipts', null, { reason: one ?? undefined }), text: 'Who, and why' },
  });
}
