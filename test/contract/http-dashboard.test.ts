import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningApi, startApi } from './http-fixture.ts';

const SCRIPT = 'console.log("a dashboard of one line");';
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

let folder: string;
let api: RunningApi;

function write(name: string, content: string | Buffer): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

function get(pathname: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${api.url}${pathname}`, { headers: { accept: 'text/html', ...headers } });
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-dashboard-'));
});
afterEach(async () => {
  await api.server.close();
  rmSync(folder, { recursive: true });
});

describe('with a build', () => {
  beforeEach(async () => {
    write('index.html', '<!doctype html><title>Headgate</title>');
    write('assets/dashboard-1a2b.js', SCRIPT);
    write('assets/dashboard-1a2b.js.gz', gzipSync(SCRIPT));
    write('assets/secret.key', 'no type, not served');
    api = await startApi({
      dashboard: folder,
      tokens: [{ token: 'a-token-that-is-long-enough', role: 'viewer' }],
    });
  });

  test('a browser gets the page at /, without a token, under the strict policy', async () => {
    const answer = await get('/');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('<title>Headgate</title>');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  });

  test('a program gets the list of endpoints at /', async () => {
    const answer = await get('/', { accept: '*/*' });
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('vary')).toBe('accept');
    expect(await answer.text()).toMatch(/^GET +\/api\/v1\/streams +live streams/m);
  });

  test('the page is asked for again, and answered 304 while it is the same', async () => {
    const etag = (await get('/')).headers.get('etag')!;
    const again = await get('/', { 'if-none-match': `"other", ${etag}` });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect((await get('/', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  test('a hashed asset may be kept for ever, and comes compressed to those who take it', async () => {
    const plain = await get('/assets/dashboard-1a2b.js', { 'accept-encoding': 'gzip;q=0' });
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(plain.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect([plain.headers.get('content-encoding'), await plain.text()]).toEqual([null, SCRIPT]);
    const small = await get('/assets/dashboard-1a2b.js', { 'accept-encoding': 'br, gzip' });
    expect([small.headers.get('content-encoding'), await small.text()]).toEqual(['gzip', SCRIPT]);
    expect(small.headers.get('etag')).not.toBe(plain.headers.get('etag'));
  });

  test.each(['/assets/gone.js', '/assets/secret.key', '/assets/..%2f..%2fpackage.json', '/assets/'])(
    '%s is a 404',
    async (pathname) => {
      const answer = await get(pathname);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    },
  );

  test('the API behind it still wants the token', async () => {
    expect((await get('/api/v1')).status).toBe(401);
    expect((await get('/assets/x', { 'x-http-method-override': 'DELETE' })).status).toBe(404);
    expect((await fetch(`${api.url}/assets/x`, { method: 'DELETE' })).status).toBe(401);
  });
});

test('without a build the answer says how to get one, and the API works', async () => {
  api = await startApi({ dashboard: path.join(folder, 'none') });
  const answer = await get('/');
  expect(answer.status).toBe(503);
  expect((await answer.json()) as object).toMatchObject({
    code: 'unavailable',
    detail: expect.stringContaining('node scripts/build-dashboard.js'),
  });
  expect((await get('/api/v1')).status).toBe(200);
  mkdirSync(path.join(folder, 'none'));
  writeFileSync(path.join(folder, 'none/index.html'), 'built meanwhile');
  expect(await (await get('/')).text()).toBe('built meanwhile');
});

test('GET /api/v1 says who answers, who asks, and what there is', async () => {
  api = await startApi({ tokens: [{ token: 'a-token-that-is-long-enough', role: 'viewer' }] });
  const answer = await get('/api/v1', { authorization: 'Bearer a-token-that-is-long-enough' });
  expect((await answer.json()) as object).toMatchObject({
    name: 'headgate',
    node_id: 'ingest-1',
    caller: { role: 'viewer', by: 'viewer@127.0.0.1' },
    endpoints: expect.arrayContaining([expect.objectContaining({ method: 'PATCH' })]),
  });
});
