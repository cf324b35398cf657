import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { rateLimit as onExpress } from '../../../src/express.ts';
import { rateLimit as onFastify } from '../../../src/fastify.ts';

const ALL = { name: 'all', limit: 2, period: '10s', clock: () => 1_000 } as const;
const DEAR = { name: 'dear', limit: 9, period: '1m', clock: () => 1_000 } as const;

async function told(url: string): Promise<unknown[]> {
  const { status, headers } = await fetch(url);
  return [status, headers.get('ratelimit-policy'), headers.get('ratelimit')];
}

/** A client that is told only of one limit runs into the other. */
const BOTH = [
  [200, '"all";q=2;w=10, "dear";q=9;w=60', '"all";r=1;t=5, "dear";r=8;t=7'],
  [200, '"all";q=2;w=10, "dear";q=9;w=60', '"all";r=0;t=10, "dear";r=7;t=14'],
  [429, '"all";q=2;w=10', '"all";r=0;t=5'],
];

test('two limits on one route of Express are both told', async () => {
  const app = express().use(onExpress(ALL), onExpress(DEAR));
  app.get('/', (_request, response) => void response.send('ok'));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  expect([await told(url), await told(url), await told(url)]).toEqual(BOTH);
  server.close();
  server.closeAllConnections();
});

test('two limits on one route of Fastify are both told', async () => {
  const app = Fastify();
  await app.register(onFastify(ALL));
  await app.register(onFastify(DEAR));
  app.get('/', async () => 'ok');
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  expect([await told(url), await told(url), await told(url)]).toEqual(BOTH);
  await app.close();
});
