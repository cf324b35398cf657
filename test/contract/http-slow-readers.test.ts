import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { OpenAnswers } from '../../src/http/open-answers.ts';
import { type RunningApi, startApi, streamSnapshot } from './http-fixture.ts';

/** Callers that ask and do not read. */

let api: RunningApi | null = null;
let deaf: Socket[] = [];
afterEach(async () => {
  for (const socket of deaf) socket.destroy();
  deaf = [];
  await api?.server.close();
  api = null;
});

function askDeaf(port: number, path: string): void {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.pause().write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  deaf.push(socket);
}

test('a caller who does not read has only so many answers open, and is heard again when he reads', async () => {
  api = await startApi();
  const { fake, port, url } = api;
  // Two megabytes a caller: more than the sockets between the two hold.
  fake.all = Array.from({ length: 8_000 }, (_, n) => streamSnapshot(n + 1));
  for (let n = 0; n < 32; n++) askDeaf(port, '/api/v1/streams');
  const status = async () => (await fetch(`${url}/api/v1/config`)).status;
  await expect.poll(status, { timeout: 8_000, interval: 200 }).toBe(429);
  const refused = await fetch(`${url}/api/v1/config`);
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  // Load balancers are answered all the same.
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  for (const socket of deaf) socket.destroy();
  await expect.poll(status, { timeout: 8_000, interval: 200 }).toBe(200);
});

describe('open answers', () => {
  /** As much of a reply as is looked at. */
  function reply() {
    const raw = Object.assign(new EventEmitter(), {
      destroyed: false,
      destroy() {
        raw.destroyed = true;
        raw.emit('close');
      },
    });
    return { raw, fastify: { raw } as unknown as FastifyReply };
  }

  const known = (key: string) => ({ key, stranger: false });

  test('of strangers are half of all, whatever their addresses: an operator is answered', () => {
    const open = new OpenAnswers();
    let taken = 0;
    for (let n = 0; n < 200; n++) {
      try {
        open.begin({ key: `address ${n % 20}`, stranger: true }, reply().fastify, 0);
        taken++;
      } catch {}
    }
    expect(taken).toBe(64);
    const one = reply();
    open.begin(known('token 0'), one.fastify, 0);
    expect(open.size).toBe(65);
  });

  test('are bounded in all, and each caller for himself', () => {
    const open = new OpenAnswers();
    const begun = Array.from({ length: 5 }, (_, caller) =>
      Array.from({ length: 40 }, () => {
        const one = reply();
        try {
          open.begin(known(`caller ${caller}`), one.fastify, 0);
          return one;
        } catch {
          return null;
        }
      }).filter((one) => one !== null),
    );
    expect(begun.map(({ length }) => length)).toEqual([32, 32, 32, 32, 0]);
    begun[0]![0]!.raw.emit('close');
    begun[0]![0]!.raw.emit('close');
    expect(open.size).toBe(127);
    expect(() => open.begin(known('caller 4'), reply().fastify, 0)).not.toThrow();
    for (const one of begun.flat()) one.raw.emit('close');
    expect(open.size).toBe(1);
  });

  test('that nobody takes are closed after two minutes', () => {
    const open = new OpenAnswers();
    const [old, young] = [reply(), reply()];
    open.begin(known('a'), old.fastify, 0);
    open.begin(known('a'), young.fastify, 60_000);
    open.sweep(119_999);
    expect([old.raw.destroyed, young.raw.destroyed]).toEqual([false, false]);
    open.sweep(120_000);
    expect([old.raw.destroyed, young.raw.destroyed, open.size]).toEqual([true, false, 1]);
  });
});
