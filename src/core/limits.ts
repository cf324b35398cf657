/** What happens to a stream that exceeds one of its own limits (product contract, section 4). */
export const ON_EXCEED = ['observe', 'throttle', 'drop', 'disconnect'] as const;

export type OnExceed = (typeof ON_EXCEED)[number];

/** An event rate as it was written: `100/min` is `{ count: 100, periodMs: 60_000 }`. */
export interface EventRate {
  readonly count: number;
  readonly periodMs: number;
}

/**
 * Limits of one stream in base units. `Infinity` means unlimited, for rates as
 * for durations (`grace: never`).
 */
export interface StreamLimits {
  /** bits per second of media payload */
  readonly max_bitrate: number;
  /** averaging window of the reported bitrate, ms */
  readonly bitrate_window: number;
  /** video access units per second */
  readonly max_fps: number;
  /** RTMP messages or SRT packets per second */
  readonly max_packets_per_sec: number;
  readonly on_exceed: OnExceed;
  /** ms of sustained excess before a cut */
  readonly grace: number;
  /** ms during which key and address are refused after a cut for cause */
  readonly cooldown: number;
}

export type StreamLimitName = keyof StreamLimits;

/** Limits of one client over all its streams; `Infinity` means unlimited. */
export interface ClientLimits {
  readonly max_streams: number;
  /** bits per second over all streams of the client */
  readonly max_bandwidth: number;
  /** publish attempts that were admitted, per period */
  readonly publish_rate: EventRate;
}

export type ClientLimitName = keyof ClientLimits;

/**
 * The limits in force for one stream, each with the place it came from:
 * `limits.stream`, `tiers.pro.stream`, `policies[0] vip-app`,
 * `clients[2] alice`, `override` (a temporary limit set by an operator).
 */
export interface EffectiveLimits {
  readonly stream: StreamLimits;
  readonly client: ClientLimits;
  readonly sources: Readonly<Partial<Record<StreamLimitName | `client.${ClientLimitName}`, string>>>;
  /**
   * Values of policies in `mode: observe`: counted against, never enforced.
   * Empty when no observing policy matched.
   */
  readonly observed: Readonly<Partial<StreamLimits>>;
}
