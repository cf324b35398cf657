import { afterAll, beforeAll, expect, test } from 'vitest';
import { headgate } from '../support/cli.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { TestServer, until } from '../support/server.ts';

/** Tokens from `headgate token` on a real server: what they let in, and what the trail says of it. */

interface Drawn {
  readonly token: string;
  readonly hash: string;
}

interface Action {
  readonly action: string;
  readonly by: string;
  readonly target: string | null;
  readonly detail: string;
}

let server: TestServer;
let publisher: Publisher;
let alice: Drawn;
let bob: Drawn;

async function drawn(...args: string[]): Promise<Drawn> {
  const { code, stdout } = await headgate(['token', '--json', ...args]);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Drawn;
}

const tokens = (...entries: string[]): string =>
  `admin:\n  tokens:\n${entries.map((one) => `    - ${one}\n`).join('')}`;

beforeAll(async () => {
  [alice, bob] = await Promise.all([drawn('--role', 'operator', '--name', 'alice'), drawn('--name', 'bob')]);
  server = await TestServer.start({
    config: tokens(
      `{ hash: "${alice.hash}", role: operator, name: alice }`,
      `{ hash: "${bob.hash}", role: viewer, name: bob }`,
    ),
  });
  publisher = new Publisher(clip({ kbps: 500, seconds: 5 }), `${server.rtmp()}/cam1`);
});

afterAll(async () => {
  await publisher?.stop();
  await server?.stop();
});

async function ask(method: string, path: string, token?: string, headers: Record<string, string> = {}) {
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(server.url(path), { method, headers: { ...authorization, ...headers } });
  return { status: answer.status, body: await answer.text() };
}

async function actions(): Promise<Action[]> {
  const { body } = await ask('GET', '/api/v1/audit?kind=audit', bob.token);
  return (JSON.parse(body) as { events: { action: Action }[] }).events.map(({ action }) => action);
}

test('a viewer sees, an operator acts, a stranger does neither, and the trail names each', async () => {
  const stream = await until(async () => {
    const { status, body } = await ask('GET', '/api/v1/streams?name=cam1', bob.token);
    expect(status).toBe(200);
    return (JSON.parse(body) as { streams: { id: string }[] }).streams[0];
  }, 'the stream to be live');
  const path = `/api/v1/streams/${stream.id}`;
  expect((await ask('GET', path)).status).toBe(401);
  expect((await ask('GET', path, alice.hash)).status).toBe(401);
  expect((await ask('DELETE', path)).status).toBe(401);
  expect((await ask('DELETE', path, bob.token)).status).toBe(403);
  expect((await ask('DELETE', path, alice.token, { origin: 'https://elsewhere.example' })).status).toBe(403);
  expect((await ask('DELETE', `${path}?cooldown=0s&reason=wrong%20camera`, alice.token)).status).toBe(200);
  expect((await actions()).slice(0, 4)).toMatchObject([
    {
      action: 'kick',
      by: 'operator alice@127.0.0.1',
      target: stream.id,
      detail: expect.stringContaining('wrong camera'),
    },
    { action: 'refused', by: 'operator alice@127.0.0.1', target: path },
    { action: 'refused', by: 'viewer bob@127.0.0.1', target: path },
    { action: 'refused', by: 'anonymous@127.0.0.1', target: path },
  ]);
  expect(JSON.stringify(await actions())).not.toMatch(/hg_|sha256:/);
});

test('the config that the API shows holds neither token nor hash', async () => {
  const { body } = await ask('GET', '/api/v1/config', bob.token);
  expect(JSON.parse(body).admin.tokens).toEqual([
    { hash: '***', role: 'operator', name: 'alice' },
    { hash: '***', role: 'viewer', name: 'bob' },
  ]);
});

test('a token that is taken out of the file is unknown at once', async () => {
  server.configure(tokens(`{ hash: "${bob.hash}", role: viewer, name: bob }`));
  await until(async () => (await ask('GET', '/api/v1/streams', alice.token)).status === 401, 'the reload');
  expect((await ask('GET', '/api/v1/streams', bob.token)).status).toBe(200);
  expect((await actions())[0]).toMatchObject({ action: 'reload' });
});
