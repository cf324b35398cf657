import { nearest } from '../../config/nearest.ts';
import type { StreamSnapshot } from '../../core/stream.ts';
import { bitrateLimit, durationWords, fpsLimit, instant, rateLimit } from '../../core/words/limits.ts';
import { HeadgateError } from '../../lib/errors.ts';
import { printable } from '../../telemetry/printable.ts';
import { findStream, streamPath } from '../api/streams.ts';
import { type Context, printJson } from '../context.ts';
import { AS_CONFIGURED, LIMIT_NAMES } from '../limit-words.ts';
import { printView } from '../render/print.ts';
import { type Line, span } from '../top/text.ts';

/** The limits of a live stream that can be overridden, and how each is shown. */
const LIMITS = {
  max_bitrate: ({ max_bitrate_bps }) => bitrateLimit(max_bitrate_bps),
  max_fps: ({ max_fps }) => fpsLimit(max_fps),
  max_packets_per_sec: ({ max_packets_per_sec }) => rateLimit(max_packets_per_sec),
  on_exceed: ({ on_exceed }) => on_exceed,
  grace: ({ grace_ms }) => durationWords(grace_ms),
} satisfies Record<(typeof LIMIT_NAMES)[number], (limits: StreamSnapshot['limits']) => string>;

type LimitName = keyof typeof LIMITS;

const NAMES: readonly LimitName[] = LIMIT_NAMES;

export interface LimitOptions {
  /** id, path or name */
  readonly stream: string;
  /** `max_bitrate=4Mbps`, `grace=config` */
  readonly changes: readonly string[];
  /** `10m`; undefined: until the stream ends */
  readonly for: string | undefined;
  /** takes all overrides back */
  readonly clear: boolean;
  readonly json: boolean;
}

type Change = Partial<Record<LimitName, string | null>>;

/** What the words of the command line change; null takes an override back. Throws HG_USAGE. */
export function changeOf({ changes, clear, for: forTime }: LimitOptions): Change {
  if (clear) {
    if (changes.length > 0 || forTime !== undefined) {
      throw usage(
        '--clear takes all overrides back and goes with no other change; use LIMIT=config for one of them',
      );
    }
    return Object.fromEntries(NAMES.map((name) => [name, null]));
  }
  if (changes.length === 0)
    throw usage(`name what to change, such as max_bitrate=4Mbps; the limits are ${NAMES.join(', ')}`);
  const change: Change = {};
  for (const text of changes) {
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    if (!isLimit(name)) {
      const meant = nearest(name, NAMES);
      const hint = meant === undefined ? `the limits are ${NAMES.join(', ')}` : `did you mean ${meant}?`;
      throw usage(`${printable(name)} is no limit of a stream; ${hint}`);
    }
    const value = text.slice(at + 1);
    if (at < 0 || value === '')
      throw usage(
        `${name} needs a value: ${name}=VALUE, or ${name}=${AS_CONFIGURED} to take an override back`,
      );
    if (name in change) throw usage(`${name} is given twice`);
    change[name] = value === AS_CONFIGURED ? null : value;
  }
  return change;
}

function isLimit(name: string): name is LimitName {
  return Object.hasOwn(LIMITS, name);
}

function usage(message: string): HeadgateError {
  return new HeadgateError('HG_USAGE', message);
}

/** `headgate limit ID max_bitrate=4Mbps --for 10m`: overrides limits of a live stream. */
export async function runLimit(options: LimitOptions, { api, terminal }: Context): Promise<number> {
  const change = changeOf(options);
  const before = await findStream(api, options.stream);
  const body = options.for === undefined ? change : { ...change, for: options.for };
  const after = await api.patch<StreamSnapshot>(`${streamPath(before.id)}/limits`, 'limits', body);
  if (options.json) printJson(terminal, after);
  else {
    const changed = (Object.keys(change) as LimitName[]).filter((name) => differs(name, before, after));
    printView(terminal, changeView(before, after, changed));
  }
  return 0;
}

/** False for one that is taken back and was as configured before. */
function differs(name: LimitName, { limits: was }: StreamSnapshot, { limits: is }: StreamSnapshot): boolean {
  return was.sources[name] === 'override' || is.sources[name] === 'override';
}

function changeView(before: StreamSnapshot, after: StreamSnapshot, changed: readonly LimitName[]): Line[] {
  const until = after.limits.override_until;
  const overridden = NAMES.some((name) => after.limits.sources[name] === 'override');
  const end = !overridden
    ? 'as configured'
    : until === null
      ? 'until the stream ends'
      : `until ${instant(until)}`;
  return [
    { spans: [span(after.path, 'bold'), span(`  ${after.id}  limits ${end}`)] },
    ...(changed.length === 0 ? [{ spans: [span('  nothing was overridden', 'dim')] }] : []),
    ...changed.map((name) => {
      const show = LIMITS[name];
      const source = after.limits.sources[name];
      const now = `  ${name} ${show(after.limits)}`;
      const was = `  was ${show(before.limits)}${source === undefined ? '' : `, now from ${source}`}`;
      return { spans: [span(now), span(was, 'dim')] };
    }),
  ];
}
