/**
 * The API limits itself: a script in a tight loop, or somebody guessing
 * tokens, must not take the loop from the streams. The rate is held on each
 * token, and on each address for callers without one.
 */
import type { FastifyReply } from 'fastify';
import { KeyedGcra } from '../core/limiter/keyed.ts';
import { ipKey } from '../lib/ip.ts';
import { Problem } from './problem.ts';

/** Requests per second and caller: `top`, a dashboard and a few scripts use under ten. */
const REQUESTS_PER_SECOND = 50;

/** Requests at once after a rest: a script that kicks a hundred streams needs no pause. */
const BURST = 100;

/** Callers that are told apart at once. */
const CALLERS_MAX = 4_096;

/** Seconds in which an empty allowance is whole again: the window of the policy. */
const WINDOW_S = BURST / REQUESTS_PER_SECOND;

/** draft-ietf-httpapi-ratelimit-headers: `q` requests per `w` seconds. */
const POLICY = `"api";q=${BURST};w=${WINDOW_S}`;

export class RequestLimit {
  readonly #limiter = new KeyedGcra({
    count: REQUESTS_PER_SECOND,
    periodMs: 1_000,
    burst: BURST,
    capacity: CALLERS_MAX,
  });

  /** Charges one request and writes the headers of the draft; throws the 429. `now` is monotonic ms. */
  charge(limitKey: string, reply: FastifyReply, now: number): void {
    // A /64 is one caller; a token's key is no address and stays as it is.
    const key = limitKey.includes(':') ? ipKey(limitKey, 64) : limitKey;
    const delayMs = this.#limiter.take(key, 1, now);
    const remaining = delayMs === 0 ? this.#limiter.remaining(key, now) : 0;
    const wholeInS = Math.ceil((BURST - remaining) / REQUESTS_PER_SECOND);
    reply.header('ratelimit-policy', POLICY);
    reply.header('ratelimit', `"api";r=${remaining};t=${wholeInS}`);
    if (delayMs === 0) return;
    throw new Problem(
      'too_many_requests',
      `more than ${REQUESTS_PER_SECOND} requests a second from one caller`,
      {
        headers: { 'retry-after': String(Math.max(1, Math.ceil(delayMs / 1_000))) },
        members: { 'violated-policies': ['api'] },
      },
    );
  }
}
