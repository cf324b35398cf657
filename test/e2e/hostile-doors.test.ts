import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Receipt } from '../../src/core/verdict.ts';
import { Arena } from '../support/arena.ts';
import { cpuOf } from '../support/flood.ts';
import { pause, until } from '../support/server.ts';

/** Strangers who come in crowds: most are turned away before a byte is read, and that costs next to nothing. */

/** The goal is 50; a busy machine with cold caches measures more, a socket made to be destroyed ten times as much. */
const REFUSAL_CPU_US_MAX = 200;

/** An address that is never refused, for crowds that shall come in. */
const GUEST = '127.99.0.1';

const CONFIG = `limits: { global: { connection_rate: 10000/s }, ip: { max_connections: 20, connection_rate: 40/s } }\nallow: [ ${GUEST} ]`;

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.open({ config: CONFIG });
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

/** Connects `count` times, `together` at once; gives how many are still open. Each has been answered or refused. */
async function crowd(localAddress: string, count: number, together: number): Promise<net.Socket[]> {
  const open: net.Socket[] = [];
  for (let done = 0; done < count; done += together) {
    const batch = Array.from({ length: Math.min(together, count - done) }, () => visit(localAddress));
    for (const socket of await Promise.all(batch)) if (socket !== null) open.push(socket);
  }
  return open;
}

/** One connection that says a first byte: null when it was closed, the socket when it is let be. */
function visit(localAddress: string): Promise<net.Socket | null> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port: arena.server.ports.rtmp, localAddress });
    // Who is let in may write all of C0 and C1, and gets S0.
    socket.once('connect', () => socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536)])));
    socket.once('data', () => resolve(socket));
    socket.on('error', () => {});
    socket.once('close', () => resolve(null));
  });
}

const refusedTimes = async (ip: string, reason: string): Promise<number> =>
  (await arena.server.receipts(`?key=${ip}&limit=1000`))
    .filter((receipt) => receipt.reason === reason)
    .reduce((sum, { count }) => sum + count, 0);

test('400 connections that say nothing are cheap to hold', async () => {
  const count = 400;
  const before = arena.server.rss();
  const sockets = Array.from({ length: count }, () =>
    net
      .connect({ host: '127.0.0.1', port: arena.server.ports.rtmp, localAddress: GUEST })
      .on('error', () => {}),
  );
  await until(async () => (await arena.server.totals()).connections === count + 1, 'all to be connected');
  const each = (arena.server.rss() - before) / count;
  console.info(`an idle TCP connection costs ${(each / 1_024).toFixed(1)} KiB`);
  // 132 kB are what bare node-media-server takes.
  expect(each).toBeLessThan(40 * 1_024);
  for (const socket of sockets) socket.destroy();
});

test('2,000 connections from one address cost the server next to nothing', async () => {
  const ip = arena.freshAddress();
  // What the bystander alone costs in the same time is not the crowd's.
  const quietMs = 1_000;
  const quiet = await cpuOf(arena.server, () => pause(quietMs));
  let open: net.Socket[] = [];
  const began = performance.now();
  const spent = await cpuOf(arena.server, async () => {
    open = await crowd(ip, 2_000, 50);
  });
  const tookMs = performance.now() - began;
  const refused = 2_000 - open.length;
  const each = ((spent - (quiet * tookMs) / quietMs) / refused) * 1e6;
  console.info(
    `a refused connection cost ${each.toFixed(1)} microseconds of CPU (${refused} refused in ${tookMs.toFixed(0)} ms)`,
  );
  expect(each).toBeLessThan(REFUSAL_CPU_US_MAX);
  expect(open.length).toBe(20);
  expect((await refusedTimes(ip, 'ip_connections')) + (await refusedTimes(ip, 'ip_connection_rate'))).toBe(
    refused,
  );
  expect(arena.server.log.filter(({ ip: of, level }) => of === ip && level === 'info').length).toBeLessThan(
    60,
  );
  for (const socket of open) socket.resetAndDestroy();
});

test('a reconnect storm during a cooldown is refused cheaply, and nobody else is', async () => {
  const offender = await arena.publisher('stormy');
  const { id } = await arena.server.stream('/live/stormy');
  await fetch(arena.server.url(`/api/v1/streams/${id}?cooldown=1m`), { method: 'DELETE' });
  await offender.closes();
  const ip = offender.localAddress;
  let open: net.Socket[] = [];
  const spent = await cpuOf(arena.server, async () => {
    open = await crowd(ip, 500, 25);
  });
  expect(open).toEqual([]);
  expect(await refusedTimes(ip, 'cooldown')).toBe(500);
  expect(spent).toBeLessThan(1);
  const receipt: Receipt = await arena.server.receipt('cooldown', (it) => it.ip === ip);
  expect(receipt.retry_after_ms).toBeGreaterThan(50_000);
  const other = await arena.publisher('calm');
  await other.unpublish('calm');
});

test('2,000 guests that connect and leave at any moment leave nothing behind', async () => {
  const before = arena.server.rss();
  for (let round = 0; round < 20; round += 1) {
    const sockets = Array.from({ length: 100 }, (_, i) => {
      const socket = net.connect({ host: '127.0.0.1', port: arena.server.ports.rtmp, localAddress: GUEST });
      socket.on('error', () => {}).resume();
      socket.once('connect', () => {
        socket.write(Buffer.alloc(1 + ((i * 31) % 3_200), 3));
        if (i % 3 === 0) socket.end();
        else if (i % 3 === 1) socket.resetAndDestroy();
        else setTimeout(() => socket.destroy(), i % 7);
      });
      return new Promise<void>((resolve) => socket.once('close', () => resolve()));
    });
    await Promise.all(sockets);
  }
  await until(async () => (await arena.server.totals()).connections === 1, 'all of them to be gone');
  // A few megabytes of heap that V8 has not collected yet; 2,000 connections kept would be 30 and more.
  expect(arena.server.rss() - before).toBeLessThan(40 * 1024 * 1024);
});

test('a server out of file descriptors keeps its streams, and lets newcomers in again afterwards', async () => {
  const { pid } = arena.server.process;
  const held = readdirSync(`/proc/${pid}/fd`).length;
  const limit = (soft: string): void => {
    const done = spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${soft}:`], { encoding: 'utf8' });
    expect(done.stderr).toBe('');
  };
  const usual =
    /Max open files\s+(\d+)/.exec(
      spawnSync('cat', [`/proc/${pid}/limits`], { encoding: 'utf8' }).stdout,
    )?.[1] ?? '1024';
  limit(String(held + 8));
  const sockets = Array.from({ length: 60 }, () =>
    net
      .connect({ host: '127.0.0.1', port: arena.server.ports.rtmp, localAddress: GUEST })
      .on('error', () => {}),
  );
  const starved = await cpuOf(arena.server, () => pause(1_000));
  limit(usual);
  // No descriptor must not mean a loop that tries and tries.
  expect(starved).toBeLessThan(0.8);
  for (const socket of sockets) socket.destroy();
  const newcomer = await arena.publisher('afterwards');
  await newcomer.unpublish('afterwards');
});
