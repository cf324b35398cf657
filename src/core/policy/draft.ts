import {
  type ClientLimitName,
  type ClientLimits,
  type EffectiveLimits,
  type EventRate,
  ON_EXCEED,
  type OnExceed,
  type StreamLimitName,
  type StreamLimits,
} from '../limits.ts';

/** Some of the limits; a key that is absent or undefined says nothing. */
export type SomeOf<T> = { readonly [K in keyof T]?: T[K] | undefined };

type LimitKey = StreamLimitName | `client.${ClientLimitName}`;

/** Both blocks side by side under the keys that `sources` uses. */
type FlatLimits = { -readonly [K in StreamLimitName]: StreamLimits[K] } & {
  -readonly [K in ClientLimitName as `client.${K}`]: ClientLimits[K];
};

type Sources = Record<LimitKey, string>;

/** One value somebody gave, and who. */
export interface LimitSetting<K extends LimitKey = LimitKey> {
  readonly key: K;
  readonly value: FlatLimits[K];
  readonly source: string;
}

const STREAM_KEYS: readonly StreamLimitName[] = [
  'max_bitrate',
  'bitrate_window',
  'max_fps',
  'max_packets_per_sec',
  'on_exceed',
  'grace',
  'cooldown',
];

function setting<K extends LimitKey>(
  settings: LimitSetting[],
  key: K,
  value: FlatLimits[K] | undefined,
  source: string,
): void {
  if (value !== undefined) settings.push({ key, value, source });
}

/** The values a stream block and a client block give, as a flat list. */
export function flatten(
  stream: SomeOf<StreamLimits> | undefined,
  streamSource: string,
  client: SomeOf<ClientLimits> | undefined,
  clientSource: string,
): readonly LimitSetting[] {
  const settings: LimitSetting[] = [];
  for (const key of STREAM_KEYS) setting(settings, key, stream?.[key], streamSource);
  setting(settings, 'client.max_streams', client?.max_streams, clientSource);
  setting(settings, 'client.max_bandwidth', client?.max_bandwidth, clientSource);
  setting(settings, 'client.publish_rate', client?.publish_rate, clientSource);
  return settings;
}

/**
 * Which of two values restricts more. Longer is stricter for `cooldown` alone;
 * actions are stricter in the order of ON_EXCEED; of two equal rates the one
 * with the smaller count allows the smaller burst.
 */
function isStricter(
  key: LimitKey,
  a: number | OnExceed | EventRate,
  b: number | OnExceed | EventRate,
): boolean {
  if (typeof a === 'number' && typeof b === 'number') return key === 'cooldown' ? a > b : a < b;
  if (typeof a === 'string' && typeof b === 'string') return ON_EXCEED.indexOf(a) > ON_EXCEED.indexOf(b);
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  const difference = a.count / a.periodMs - b.count / b.periodMs;
  return difference < 0 || (difference === 0 && a.count < b.count);
}

function assign<K extends LimitKey>(limits: FlatLimits, key: K, value: FlatLimits[K]): void {
  limits[key] = value;
}

function assignStream<K extends StreamLimitName>(
  limits: { -readonly [P in StreamLimitName]?: StreamLimits[P] },
  key: K,
  value: StreamLimits[K],
): void {
  limits[key] = value;
}

const NOTHING_OBSERVED: EffectiveLimits['observed'] = Object.freeze({});

/** Limits in the making: a value and its source for every key. */
export class Draft {
  readonly #limits: FlatLimits;
  readonly #sources: Sources;
  /** priority of the override that last replaced a key */
  #replacedAt: Map<LimitKey, number> | null = null;

  private constructor(limits: FlatLimits, sources: Sources) {
    this.#limits = limits;
    this.#sources = sources;
  }

  static of(stream: StreamLimits, client: ClientLimits): Draft {
    const limits: FlatLimits = {
      max_bitrate: stream.max_bitrate,
      bitrate_window: stream.bitrate_window,
      max_fps: stream.max_fps,
      max_packets_per_sec: stream.max_packets_per_sec,
      on_exceed: stream.on_exceed,
      grace: stream.grace,
      cooldown: stream.cooldown,
      'client.max_streams': client.max_streams,
      'client.max_bandwidth': client.max_bandwidth,
      'client.publish_rate': client.publish_rate,
    };
    const sources: Sources = {
      max_bitrate: 'limits.stream',
      bitrate_window: 'limits.stream',
      max_fps: 'limits.stream',
      max_packets_per_sec: 'limits.stream',
      on_exceed: 'limits.stream',
      grace: 'limits.stream',
      cooldown: 'limits.stream',
      'client.max_streams': 'limits.client',
      'client.max_bandwidth': 'limits.client',
      'client.publish_rate': 'limits.client',
    };
    return new Draft(limits, sources);
  }

  copy(): Draft {
    return new Draft({ ...this.#limits }, { ...this.#sources });
  }

  replace(settings: readonly LimitSetting[]): void {
    for (const { key, value, source } of settings) this.#set(key, value, source);
  }

  /** Policies must come in ascending priority, overrides first among equals. */
  apply(settings: readonly LimitSetting[], override: boolean, priority: number): void {
    for (const { key, value, source } of settings) {
      const replaces = override && this.#replacedAt?.get(key) !== priority;
      if (replaces || isStricter(key, value, this.#limits[key])) this.#set(key, value, source);
      if (replaces) {
        this.#replacedAt ??= new Map();
        this.#replacedAt.set(key, priority);
      }
    }
  }

  /** The draft must not change afterwards. `asIf` is this draft with observing policies enforced. */
  effective(asIf: Draft | null = null): EffectiveLimits {
    const flat = this.#limits;
    const stream: StreamLimits = {
      max_bitrate: flat.max_bitrate,
      bitrate_window: flat.bitrate_window,
      max_fps: flat.max_fps,
      max_packets_per_sec: flat.max_packets_per_sec,
      on_exceed: flat.on_exceed,
      grace: flat.grace,
      cooldown: flat.cooldown,
    };
    const client: ClientLimits = {
      max_streams: flat['client.max_streams'],
      max_bandwidth: flat['client.max_bandwidth'],
      publish_rate: flat['client.publish_rate'],
    };
    const observed = asIf === null ? NOTHING_OBSERVED : asIf.#differencesFrom(this);
    return { stream, client, sources: this.#sources, observed };
  }

  #differencesFrom(enforced: Draft): Partial<StreamLimits> {
    const observed: { -readonly [K in StreamLimitName]?: StreamLimits[K] } = {};
    for (const key of STREAM_KEYS) {
      const value = this.#limits[key];
      if (value !== enforced.#limits[key]) assignStream(observed, key, value);
    }
    return observed;
  }

  #set<K extends LimitKey>(key: K, value: FlatLimits[K], source: string): void {
    assign(this.#limits, key, value);
    this.#sources[key] = source;
  }
}
