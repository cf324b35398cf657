import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { ALGORITHM_NAMES } from '../../../src/core/limiter/algorithms.ts';
import { Allowance } from '../../../src/http-limit/allowance.ts';
import type { RateLimitOptions } from '../../../src/http-limit/options.ts';

interface Asked {
  readonly user: string;
  readonly size?: number;
}

const RAW = { headers: {}, socket: { remoteAddress: '192.0.2.1' } } as unknown as IncomingMessage;
let at = 1_000;

function allowance(options: Partial<RateLimitOptions<Asked>> = {}) {
  at = 1_000;
  const made = new Allowance<Asked>({
    limit: 2,
    period: '10s',
    key: ({ user }) => user,
    clock: () => at,
    ...options,
  });
  return (asked: Asked = { user: 'ann' }) => made.rule(asked, RAW);
}

test('the draft tells the policy, what is left and when it is better', () => {
  const ask = allowance({ name: 'search' });
  expect(ask()).toEqual({
    headers: { 'ratelimit-policy': '"search";q=2;w=10', ratelimit: '"search";r=1;t=5' },
    refusal: null,
  });
  expect(ask()?.headers['ratelimit']).toBe('"search";r=0;t=10');
});

test('who is refused is told in a problem, and when to return', () => {
  const ask = allowance({ name: 'search' });
  ask();
  ask();
  at += 1_500;
  const ruling = ask();
  expect(ruling?.headers).toEqual({
    'ratelimit-policy': '"search";q=2;w=10',
    ratelimit: '"search";r=0;t=4',
    'retry-after': '4',
    'content-type': 'application/problem+json; charset=utf-8',
  });
  expect(JSON.parse(ruling?.refusal?.body ?? '')).toEqual({
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Too Many Requests',
    status: 429,
    detail: 'more than 2 in 10 s; wait 4 s',
    'violated-policies': ['search'],
  });
  // The promise is kept.
  at += 4_000;
  expect(ask()?.refusal).toBeNull();
});

test.each(ALGORITHM_NAMES)('%s refuses the third of two and lets it in when it said', (algorithm) => {
  const ask = allowance({ algorithm });
  expect([ask(), ask(), ask()].map((ruling) => ruling?.refusal?.status ?? 200)).toEqual([200, 200, 429]);
  const retryAfterS = Number(/t=(\d+)/.exec(ask()?.headers['ratelimit'] ?? '')?.[1]);
  at += retryAfterS * 1_000;
  expect(ask()?.refusal).toBeNull();
});

test('the old headers come only when asked for', () => {
  expect(Object.keys(allowance({ headers: false })()?.headers ?? {})).toEqual([]);
  expect(allowance({ headers: false, legacyHeaders: true })()?.headers).toEqual({
    'x-ratelimit-limit': '2',
    'x-ratelimit-remaining': '1',
    'x-ratelimit-reset': '5',
  });
});

test('callers are apart, costs and exceptions are theirs', () => {
  const ask = allowance({ cost: ({ size = 1 }) => size, skip: ({ user }) => user === 'root' });
  expect(ask({ user: 'ann', size: 2 })?.refusal).toBeNull();
  expect(ask({ user: 'ann' })?.refusal?.status).toBe(429);
  expect(ask({ user: 'ann', size: 0 })?.refusal).toBeNull();
  expect(ask({ user: 'bob' })?.refusal).toBeNull();
  expect(ask({ user: 'root', size: 99 })).toBeNull();
});

test('what costs more than may ever come is not asked to return', () => {
  const ruling = allowance({ cost: 3 })();
  expect(ruling?.headers['retry-after']).toBeUndefined();
  expect(ruling?.headers['ratelimit']).toBe('"default";r=0');
  expect(ruling?.refusal?.body).toContain('no more than 2 may ever come at once');
});

test('strangers cannot push out who owes something', () => {
  const ask = allowance({ maxKeys: 2 });
  ask({ user: 'ann' });
  ask({ user: 'bob' });
  expect(ask({ user: 'eve' })?.refusal?.status).toBe(429);
  expect(ask({ user: 'ann' })?.refusal).toBeNull();
  at += 10_000;
  expect(ask({ user: 'eve' })?.refusal).toBeNull();
});

test.each([
  [{ limit: 0 }, 'limit is a whole number above 0, not 0'],
  [{ limit: 1.5 }, 'limit is a whole number above 0, not 1.5'],
  [{ period: 60 as unknown as string }, "period needs its unit: '1s', '1m' or '1h', not 60"],
  [{ period: '60' }, '60 has no unit'],
  [{ algorithm: 'magic' as 'gcra' }, 'algorithm is one of gcra,'],
  [{ algorithm: 'fixed-window', burst: 9 } as const, 'a window admits whole counts'],
  [{ trustedProxies: ['proxy.example'] }, 'trustedProxies: "proxy.example" is no IP address'],
  [{ name: 'a "name"' }, 'name is 1 to 64 printable ASCII characters without quotes'],
])('%j is refused with what it could have been', (options, message) => {
  expect(() => allowance(options)).toThrow(new RegExp(message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
});

test('a key that is no text is the program’s mistake, and nobody shares an allowance by it', () => {
  expect(() => allowance({ key: () => undefined as unknown as string })()).toThrow(TypeError);
});

test('a long key is kept as its digest, and no two share an allowance for it', () => {
  const ask = allowance({ limit: 1 });
  const long = 'k'.repeat(16_000);
  expect(ask({ user: `${long}a` })?.refusal).toBeNull();
  expect(ask({ user: `${long}b` })?.refusal).toBeNull();
  expect(ask({ user: `${long}a` })?.refusal).not.toBeNull();
});
