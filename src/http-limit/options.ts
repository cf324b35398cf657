import type { IncomingMessage } from 'node:http';
import { ALGORITHM_NAMES, type AlgorithmName } from '../core/limiter/algorithms.ts';
import { DURATION, parseQuantity } from '../core/units.ts';
import { type Cidr, parseCidr } from '../lib/ip.ts';

/** A rate limit on the requests of an HTTP server. */
export interface RateLimitOptions<Request = IncomingMessage> {
  /** units per `period`; a request costs one unless `cost` says otherwise */
  readonly limit: number;
  /** with its unit: `'10s'`, `'1m'`, `'1h'` */
  readonly period: string;
  /** what may come at once after a rest; `limit` when absent. Not for windows, which have no other burst. */
  readonly burst?: number;
  /** `gcra` when absent: even, exact, and cheapest to keep */
  readonly algorithm?: AlgorithmName;
  /** names the policy in the headers and in the answer to who is refused; `default` when absent */
  readonly name?: string;
  /** whose allowance a request is taken from; the address it comes from when absent */
  readonly key?: (request: Request) => string;
  /** units a request takes; 0 takes none and is never refused */
  readonly cost?: number | ((request: Request) => number);
  /** true for requests that are neither counted nor refused */
  readonly skip?: (request: Request) => boolean;
  /** `RateLimit` and `RateLimit-Policy` of the IETF draft; true when absent */
  readonly headers?: boolean;
  /** the older `X-RateLimit-*` as well; false when absent */
  readonly legacyHeaders?: boolean;
  /** keys told apart at once; when all owe something, new ones are refused until one does not. 10,000 when absent */
  readonly maxKeys?: number;
  /**
   * Addresses or networks of your own proxies. Only what they say in
   * `X-Forwarded-For` is believed; without any, nobody is, and the address is
   * that of the connection, which cannot be forged.
   */
  readonly trustedProxies?: readonly string[];
  /** IPv6 addresses that share this many bits are one caller; 64 when absent */
  readonly ipv6Prefix?: number;
  /** one sentence for who is refused */
  readonly message?: string;
  /** monotonic ms; for tests */
  readonly clock?: () => number;
}

/** The same with every choice made. */
export interface RateLimitSettings {
  readonly limit: number;
  readonly periodMs: number;
  readonly burst: number;
  readonly algorithm: AlgorithmName;
  readonly name: string;
  readonly headers: boolean;
  readonly legacyHeaders: boolean;
  readonly maxKeys: number;
  readonly trustedProxies: readonly Cidr[];
  readonly ipv6Prefix: number;
  readonly message: string | null;
}

/** About 2 MB of keys. */
const KEYS_DEFAULT = 10_000;

/** A subscriber is given a /64 at least. */
const IPV6_PREFIX_DEFAULT = 64;

/** A name stands in a header as a quoted string (RFC 8941, section 3.3.3). */
const NAME = /^[!#-[\]-~ ]{1,64}$/;

/** Reads the options once; what cannot be meant throws a RangeError that says what can. */
export function settingsOf(options: RateLimitOptions<never>): RateLimitSettings {
  const { limit, period, algorithm = 'gcra', name = 'default', ipv6Prefix = IPV6_PREFIX_DEFAULT } = options;
  check(Number.isInteger(limit) && limit > 0, `limit is a whole number above 0, not ${String(limit)}`);
  check(ALGORITHM_NAMES.includes(algorithm), `algorithm is one of ${ALGORITHM_NAMES.join(', ')}`);
  check(NAME.test(name), 'name is 1 to 64 printable ASCII characters without quotes');
  check(
    Number.isInteger(ipv6Prefix) && ipv6Prefix >= 0 && ipv6Prefix <= 128,
    `ipv6Prefix is 0 to 128, not ${ipv6Prefix}`,
  );
  return {
    limit,
    periodMs: periodOf(period),
    burst: options.burst ?? limit,
    algorithm,
    name,
    headers: options.headers ?? true,
    legacyHeaders: options.legacyHeaders ?? false,
    maxKeys: options.maxKeys ?? KEYS_DEFAULT,
    trustedProxies: (options.trustedProxies ?? []).map(networkOf),
    ipv6Prefix,
    message: options.message ?? null,
  };
}

function periodOf(period: string): number {
  check(typeof period === 'string', `period needs its unit: '1s', '1m' or '1h', not ${String(period)}`);
  const parsed = parseQuantity(period, DURATION);
  if (!parsed.ok) throw new RangeError(`period: ${parsed.problem}`);
  check(parsed.value > 0, 'period is above 0');
  return parsed.value;
}

function networkOf(text: string): Cidr {
  const result = parseCidr(text);
  if (!result.ok) throw new RangeError(`trustedProxies: ${result.error}`);
  return result.cidr;
}

function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new RangeError(otherwise);
}
