/**
 * The API limits itself: a script in a tight loop, or somebody guessing
 * tokens, must not take the loop from the streams. The rate is held on each
 * token wherever it comes from, and on each address for callers without one.
 * The two are counted apart, so that a flood of addresses, which may fill the
 * table of addresses, leaves those who have a token alone.
 *
 * Every answer tells the caller where he stands, in the fields of
 * draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` says `q` requests
 * per `w` seconds, `RateLimit` says `r` are left and in `t` seconds it changes
 * for the better: to the whole quota, or, at none, to the next request.
 */
import type { FastifyReply } from 'fastify';
import { KeyedGcra } from '../core/limiter/keyed.ts';
import type { EventRate } from '../core/limits.ts';
import { ipKey } from '../lib/ip.ts';
import { Problem } from './problem.ts';

/** Callers that are told apart at once, of each kind. */
const CALLERS_MAX = 4_096;

/** Bits of an IPv6 address that tell callers apart: who rents the smallest server has a whole /64. */
const IPV6_PREFIX = 64;

/** What all addresses of one caller have in common: whatever is bounded for each of them is counted on it. */
export function callerAddress(ip: string): string {
  return ipKey(ip, IPV6_PREFIX);
}

export interface RequestAllowance {
  /** of one caller; an infinite count is no limit */
  readonly requests: EventRate;
  /** requests at once after a rest */
  readonly burst: number;
  /** the older X-RateLimit fields are told as well */
  readonly xHeaders: boolean;
}

/** Whom a request is counted on. */
export interface LimitKey {
  readonly kind: 'token' | 'address';
  /** the digest of a token, or a `callerAddress` */
  readonly key: string;
}

export class RequestLimit {
  readonly #settings: () => RequestAllowance;
  #allowance: RequestAllowance | null = null;
  #of: Record<LimitKey['kind'], KeyedGcra> | null = null;

  /** `settings` is asked on each request, so that a reload takes effect at once. */
  constructor(settings: () => RequestAllowance) {
    this.#settings = settings;
  }

  /** Charges one request and writes the headers; throws the 429. `now` is monotonic ms. */
  charge(by: LimitKey, reply: FastifyReply, now: number): void {
    const allowance = this.#settings();
    const { requests, burst } = allowance;
    if (!Number.isFinite(requests.count)) return;
    const limiter = this.#limiters(allowance, now)[by.kind];
    const { key } = by;
    const perSecond = (requests.count * 1_000) / requests.periodMs;
    const delayMs = limiter.take(key, 1, now);
    // Rounded up: a promise in whole seconds must not come early.
    const retryAfterS = Math.max(1, Math.ceil(delayMs / 1_000));
    const remaining = delayMs === 0 ? limiter.remaining(key, now) : 0;
    const betterInS = delayMs === 0 ? Math.ceil((burst - remaining) / perSecond) : retryAfterS;
    tell(reply, { allowance, windowS: Math.max(1, Math.ceil(burst / perSecond)), remaining, betterInS });
    if (delayMs === 0) return;
    const rate = `${requests.count} in ${requests.periodMs / 1_000} s`;
    throw new Problem(
      'too_many_requests',
      `more requests from one caller than ${rate}; wait ${retryAfterS} s`,
      {
        headers: { 'retry-after': String(retryAfterS) },
        members: { 'violated-policies': ['api'] },
      },
    );
  }

  #limiters(allowance: RequestAllowance, now: number): Record<LimitKey['kind'], KeyedGcra> {
    const { requests, burst } = allowance;
    const rate = { ...requests, burst };
    const before = this.#allowance;
    this.#allowance = allowance;
    this.#of ??= {
      token: new KeyedGcra({ ...rate, capacity: CALLERS_MAX }),
      address: new KeyedGcra({ ...rate, capacity: CALLERS_MAX }),
    };
    if (before !== null && (before.requests !== requests || before.burst !== burst)) {
      for (const limiter of Object.values(this.#of)) limiter.setRate(rate, now);
    }
    return this.#of;
  }
}

interface Standing {
  readonly allowance: RequestAllowance;
  /** in which an empty allowance is whole again */
  readonly windowS: number;
  readonly remaining: number;
  readonly betterInS: number;
}

function tell(reply: FastifyReply, { allowance, windowS, remaining, betterInS }: Standing): void {
  const { burst, xHeaders } = allowance;
  reply.header('ratelimit-policy', `"api";q=${burst};w=${windowS}`);
  reply.header('ratelimit', `"api";r=${remaining};t=${betterInS}`);
  if (!xHeaders) return;
  // Nobody ever wrote these down; seconds from now need no common clock.
  reply.header('x-ratelimit-limit', String(burst));
  reply.header('x-ratelimit-remaining', String(remaining));
  reply.header('x-ratelimit-reset', String(betterInS));
}
