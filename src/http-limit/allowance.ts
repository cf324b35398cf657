import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ALGORITHMS } from '../core/limiter/algorithms.ts';
import { KeyedLimiter } from '../core/limiter/keyed.ts';
import { monotonicMs } from '../lib/clock.ts';
import { CallerAddress } from './caller.ts';
import { type RateLimitOptions, type RateLimitSettings, settingsOf } from './options.ts';

/**
 * A rate limit on requests, apart from any framework: what is taken from whose
 * allowance, what the caller is told in headers, and the answer to who is
 * refused. The headers are those of draft-ietf-httpapi-ratelimit-headers-11:
 * `RateLimit-Policy` says `q` units per `w` seconds, `RateLimit` that `r` are
 * left and that it is better in `t` seconds: the whole quota again, or, at
 * none, room for the request that was refused.
 */

/** Registered by the draft for the problem of RFC 9457. */
const QUOTA_EXCEEDED = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** What is to be done with one request. */
export interface Ruling {
  /** header names in lower case */
  readonly headers: Readonly<Record<string, string>>;
  /** null = let it pass */
  readonly refusal: { readonly status: 429; readonly body: string } | null;
}

export class Allowance<Request> {
  readonly #options: RateLimitOptions<Request>;
  readonly #settings: RateLimitSettings;
  readonly #limiter: KeyedLimiter;
  readonly #caller: CallerAddress;
  readonly #clock: () => number;
  readonly #policy: string;
  /** in which an empty allowance is whole again */
  readonly #windowMs: number;

  /** Throws a RangeError for options that mean nothing. */
  constructor(options: RateLimitOptions<Request>) {
    const settings = settingsOf(options as RateLimitOptions<never>);
    const { limit: count, periodMs, burst, maxKeys, name } = settings;
    this.#options = options;
    this.#settings = settings;
    this.#limiter = new KeyedLimiter(
      { count, periodMs, burst, capacity: maxKeys },
      ALGORITHMS[settings.algorithm],
    );
    this.#caller = new CallerAddress(settings.trustedProxies, settings.ipv6Prefix);
    this.#clock = options.clock ?? monotonicMs;
    this.#windowMs = (burst * periodMs) / count;
    this.#policy = `"${name}";q=${burst};w=${secondsUp(this.#windowMs)}`;
  }

  /** Charges one request; null when it is not counted. `raw` is the request that Node made. */
  rule(request: Request, raw: IncomingMessage): Ruling | null {
    const { key, cost = 1, skip } = this.#options;
    if (skip?.(request) === true) return null;
    const units = typeof cost === 'number' ? cost : cost(request);
    const caller = key === undefined ? this.#caller.keyOf(raw) : key(request);
    // Two callers must never share a key because both have none.
    if (typeof caller !== 'string') throw new TypeError('the key of a rate limit is text');
    const kept = keptKey(caller);
    const now = this.#clock();
    const delayMs = this.#limiter.take(kept, units, now);
    const remaining = delayMs === 0 ? this.#limiter.remaining(kept, now) : 0;
    const betterInS = secondsUp(delayMs === 0 ? this.#limiter.wholeInMs(kept, now) : delayMs);
    return {
      headers: this.#headers(remaining, betterInS, delayMs > 0),
      refusal: delayMs === 0 ? null : { status: 429, body: this.#body(units, betterInS) },
    };
  }

  #headers(remaining: number, betterInS: number, refused: boolean): Record<string, string> {
    const { name, burst, headers, legacyHeaders } = this.#settings;
    const told: Record<string, string> = {};
    const known = Number.isFinite(betterInS);
    if (headers) {
      told['ratelimit-policy'] = this.#policy;
      told['ratelimit'] = `"${name}";r=${remaining}${known ? `;t=${betterInS}` : ''}`;
    }
    if (legacyHeaders) {
      told['x-ratelimit-limit'] = String(burst);
      told['x-ratelimit-remaining'] = String(remaining);
      // Nobody ever wrote these down; seconds from now need no common clock.
      if (known) told['x-ratelimit-reset'] = String(betterInS);
    }
    if (refused) {
      told['content-type'] = PROBLEM_TYPE;
      // What can never pass is not asked to come back.
      if (known) told['retry-after'] = String(Math.max(1, betterInS));
    }
    return told;
  }

  #body(units: number, retryInS: number): string {
    const { name, limit, periodMs, burst, message } = this.#settings;
    const rate = `${limit} in ${periodMs / 1_000} s`;
    const detail = Number.isFinite(retryInS)
      ? `more than ${rate}; wait ${Math.max(1, retryInS)} s`
      : `this request costs ${units}, and no more than ${burst} may ever come at once`;
    return JSON.stringify({
      type: QUOTA_EXCEEDED,
      title: 'Too Many Requests',
      status: 429,
      detail: message ?? detail,
      'violated-policies': [name],
    });
  }
}

/** Headers of the draft: lists, in which each policy is a member. */
const LISTS = ['ratelimit-policy', 'ratelimit'];

/**
 * The headers of a ruling beside those that another limit has told on the same
 * answer, which `held` reads: a client that hears of one alone runs into the other.
 */
export function besideOthers(
  headers: Ruling['headers'],
  held: (name: string) => unknown,
): Record<string, string> {
  const told = { ...headers };
  for (const name of LISTS) {
    const before = held(name);
    if (typeof before === 'string' && told[name] !== undefined) told[name] = `${before}, ${told[name]}`;
  }
  return told;
}

/** Longer than an address, a name or a token; 10,000 of these are about 2 MB. */
const KEY_CHARS_MAX = 128;

/** A key out of a header may be 16 kB long, and is kept for every caller: a long one is kept as its digest. */
function keptKey(key: string): string {
  if (key.length <= KEY_CHARS_MAX) return key;
  return `sha256:${createHash('sha256').update(key).digest('base64')}`;
}

/** Rounded up: a promise in whole seconds must not come early. */
function secondsUp(ms: number): number {
  return Math.ceil(ms / 1_000);
}
