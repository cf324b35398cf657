import { readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ApiClient } from '../../src/cli/api/client.ts';
import { headgate } from '../support/cli.ts';
import { listenTlsLines } from '../support/tls-pair.ts';

/** What a command says when what answers, or does not, is no Headgate server. */

const closers: (() => void)[] = [];
let folder: string;

beforeAll(() => {
  folder = listenTlsLines().folder;
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function listening(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as net.AddressInfo).port;
}

const answering =
  (status: number, type: string, body: string, headers: Record<string, string> = {}) =>
  () =>
    listening(
      http.createServer((_, response) =>
        response.writeHead(status, { 'content-type': type, ...headers }).end(body),
      ),
    );

const problem = (status: number, code: string, detail: string): string =>
  JSON.stringify({ status, code, detail });

const PROBLEM = 'application/problem+json; charset=utf-8';

/** A port on which nobody listens. */
async function nobody(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const NO_STREAMS = JSON.stringify({
  streams: [],
  totals: { streams: 0, bitrate_bps: 0, bytes: 0, packets_per_sec: 0, connections: 0 },
  next_cursor: null,
});

/** The API behind a proxy that speaks TLS. */
const tls = () => {
  const pair = {
    cert: readFileSync(path.join(folder, 'cert.pem')),
    key: readFileSync(path.join(folder, 'key.pem')),
  };
  const json = { 'content-type': 'application/json' };
  return listening(https.createServer(pair, (_, response) => response.writeHead(200, json).end(NO_STREAMS)));
};

test.each([
  [
    'nothing',
    'http',
    nobody,
    'no server is running there: start one with `headgate serve`, or name another with --url',
  ],
  [
    'a server that closes',
    'http',
    () => listening(net.createServer((socket) => socket.destroy())),
    'the connection was closed without an answer',
  ],
  [
    'SSH',
    'http',
    () => listening(net.createServer((socket) => socket.end('SSH-2.0-x\r\n'))),
    'does not speak HTTP',
  ],
  [
    'a web page',
    'http',
    answering(200, 'text/html', '<html>'),
    'is not the admin API of a Headgate server: its answer is not JSON',
  ],
  ['another API', 'http', answering(200, 'application/json', '{"ok":true}'), 'its answer has another shape'],
  [
    'a list instead of an object',
    'http',
    answering(200, 'application/json', 'null'),
    'its answer has another shape',
  ],
  [
    'a web server without the page',
    'http',
    answering(404, 'text/html', 'no'),
    'it answered 404 without saying why',
  ],
  [
    'a problem in another shape',
    'http',
    answering(500, PROBLEM, '{}'),
    'it answered 500 in a shape of its own',
  ],
  [
    'a redirect',
    'http',
    answering(302, 'text/html', '', { location: 'http://127.0.0.1:1/' }),
    'it sends elsewhere (302)',
  ],
  [
    'half an answer',
    'http',
    () =>
      listening(
        net.createServer((socket) =>
          socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{'),
        ),
      ),
    'cannot ask http://127.0.0.1',
  ],
  [
    'a busy server',
    'http',
    answering(429, PROBLEM, problem(429, 'too_many_requests', 'more than 50 requests a second'), {
      'retry-after': '3',
    }),
    'cannot answer now: more than 50 requests a second; try again in 3 s',
  ],
  [
    'a fault',
    'http',
    answering(500, PROBLEM, problem(500, 'internal', 'an unexpected fault')),
    'answered 500: an unexpected fault',
  ],
  [
    'a detail that would drive the terminal',
    'http',
    answering(500, PROBLEM, problem(500, 'x', '\u001b[2J\nforged')),
    '\\u001b[2J\\u000aforged',
  ],
  [
    'plain HTTP asked for TLS',
    'https',
    answering(200, 'text/html', ''),
    'this port does not speak TLS: use http:// instead of https://',
  ],
  ['TLS asked for plain HTTP', 'http', tls, 'wants https://'],
  ['a certificate nobody vouches for', 'https', tls, 'its certificate is not trusted here'],
])('%s: one line, exit 1', async (_what, scheme, start, says) => {
  const url = `${scheme}://127.0.0.1:${await start()}`;
  const { code, stdout, stderr } = await headgate(['streams', '--url', url]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^headgate: .*\n$/);
  expect(stderr).toContain(says);
});

test.each([
  ['http://nowhere.invalid', 'cannot ask http://nowhere.invalid: the host name'],
  ['http://127.0.0.1:6000', 'fetch never asks this port'],
])('%s', async (url, says) => {
  const { code, stderr } = await headgate(['streams', '--url', url]);
  expect(code).toBe(1);
  expect(stderr).toContain(says);
});

test('a certificate that is vouched for is accepted', async () => {
  const url = `https://localhost:${await tls()}`;
  const { code, stderr } = await headgate(['streams', '--url', url], {
    env: { NODE_EXTRA_CA_CERTS: path.join(folder, 'cert.pem') },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'headgate: no live streams\n' });
});

test('a server that never answers is given up', async () => {
  const port = await listening(net.createServer());
  const api = new ApiClient({ url: `http://127.0.0.1:${port}`, token: null }, { timeoutMs: 100 });
  await expect(api.get('/api/v1/streams', 'streams' as never)).rejects.toThrow(/no answer within 0\.1 s/);
  await expect(api.subscribe('never', new AbortController().signal)).rejects.toThrow(
    /no answer within 0\.1 s/,
  );
});

test('an answer that trickles is given up', async () => {
  const port = await listening(
    http.createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"streams":[');
    }),
  );
  const api = new ApiClient({ url: `http://127.0.0.1:${port}`, token: null }, { timeoutMs: 200 });
  await expect(api.get('/api/v1/streams', 'streams' as never)).rejects.toThrow(/no answer within 0\.2 s/);
});

test('an answer that never ends is given up, too', async () => {
  const port = await listening(
    http.createServer((_, response) => {
      const megabyte = Buffer.alloc(2 ** 20, ' ');
      const pump = (): void => {
        while (response.write(megabyte));
      };
      response.writeHead(200, { 'content-type': 'application/json' }).on('drain', pump);
      pump();
    }),
  );
  const api = new ApiClient({ url: `http://127.0.0.1:${port}`, token: null });
  await expect(api.get('/api/v1/streams', 'streams' as never)).rejects.toThrow(/its answer does not end/);
});

test('the token goes with the request, and nowhere else', async () => {
  const asked: (string | undefined)[] = [];
  const port = await listening(
    http.createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(302, { location: `http://127.0.0.1:${port}/elsewhere` }).end();
    }),
  );
  const { stderr } = await headgate(['streams', '--url', `http://127.0.0.1:${port}`], {
    env: { HEADGATE_TOKEN: 's3cret' },
  });
  expect(asked).toEqual(['Bearer s3cret']);
  expect(stderr).not.toContain('s3cret');
});
