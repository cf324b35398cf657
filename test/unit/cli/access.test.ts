import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningApi, startApi } from '../../contract/http-fixture.ts';
import { CapturedTerminal, headgate } from './capture.ts';

/** Commands against a server that asks who they are. */
const OPERATOR = 'operator-token-0123456789';
const VIEWER = 'viewer-token-0123456789';

let api: RunningApi;
beforeEach(async () => {
  api = await startApi({
    tokens: [
      { token: OPERATOR, role: 'operator', name: 'olga' },
      { token: VIEWER, role: 'viewer' },
    ],
  });
});
afterEach(() => api.server.close());

function ask(line: string, token?: string) {
  const env = { HEADGATE_URL: api.url, ...(token === undefined ? {} : { HEADGATE_TOKEN: token }) };
  return headgate(line.split(' '), new CapturedTerminal({ env }));
}

const LOOKING = [
  'streams',
  'stream cam1',
  'top --once',
  'clients',
  'ips',
  'resources',
  'backpressure',
  'history',
  'config',
  'api /api/v1',
  'events',
];
const ACTING = ['kick cam1', 'limit cam1 max_fps=30fps', 'backpressure off'];

describe.each([...LOOKING, ...ACTING, 'why cam1'])('%s', (line) => {
  test('without a token is told where one goes, with a wrong one what to compare', async () => {
    for (const [token, says] of [
      [undefined, 'wants a token: set HEADGATE_TOKEN or give --token (admin.tokens in its config)'],
      ['wrong-token', 'does not know this token: check --token or HEADGATE_TOKEN against admin.tokens'],
    ] as const) {
      const { code, stdout, stderr } = await ask(line, token);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(says);
      expect(stderr).toMatch(/^headgate: [^\n]*\n$/);
      expect(stderr).not.toContain('wrong-token');
    }
  });
});

test.each(LOOKING)('a viewer may %s', async (line) => {
  expect((await ask(line, VIEWER)).code).toBe(0);
});

test.each(ACTING)('a viewer may not %s, an operator may', async (line) => {
  const refused = await ask(line, VIEWER);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^headgate: http:\S+ does not allow this: .*operator.*\n$/);
  expect((await ask(line, OPERATOR)).code).toBe(0);
});

test('what an operator does is done in his name', async () => {
  await ask('kick cam1', OPERATOR);
  expect(api.fake.kicks[0]?.order.by).toContain('olga');
});

test('--token goes before the environment', async () => {
  expect((await ask(`kick cam1 --token ${OPERATOR}`, VIEWER)).code).toBe(0);
});

test('too many requests are told with when to come again, and so is a closed gate', async () => {
  const strict = await startApi({
    rateLimit: () => ({ requests: { count: 1, periodMs: 60_000 }, burst: 1, xHeaders: false }),
  });
  await headgate(['streams', '--url', strict.url]);
  const again = await headgate(['streams', '--url', strict.url]);
  expect(again.code).toBe(1);
  expect(again.stderr).toMatch(/cannot answer now: .*; try again in \d+ s\n$/);
  await strict.server.close();
  api.fake.ready = { ready: false, reasons: ['draining'], retry_after_ms: null, config_error: null };
  const closed = await ask('api /readyz', VIEWER);
  expect(closed).toMatchObject({ code: 1, stdout: '' });
  expect(closed.stderr).toMatch(/cannot answer now: no newcomers: draining; try again in 5 s\n$/);
});
