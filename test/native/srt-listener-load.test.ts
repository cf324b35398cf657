import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { SRT_STATS } from '../../src/native/srt.ts';
import { pause, until } from '../support/server.ts';
import { SrtCaller } from '../support/srt-client.ts';
import { HandshakeFlood } from '../support/srt-flood.ts';
import { SrtPublisher, tsClip } from '../support/srt-publishers.ts';
import { SrtRig } from './srt-rig.ts';

const LONE = path.resolve(import.meta.dirname, '../support/srt-lone-listener.ts');
/** What a stop may take, ms: connections say goodbye, and the kernel gives the port back. */
const STOP_MS = 1_000;

/** A leak of a tenth of what a connection takes would be more, kB. */
const GROWTH_KB = 25_000;

const open: { close: () => unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

function publisher(port: number, name: string, kbps = 1000): SrtPublisher {
  const made = new SrtPublisher('ffmpeg', tsClip({ kbps }), {
    port,
    streamId: `#!::r=live/${name},m=publish`,
  });
  open.push({ close: () => made.stop() });
  return made;
}

test('a stop under load ends every connection, gives the port back at once, and is followed by no batch', async () => {
  const rig = new SrtRig();
  const publishers = ['a', 'b', 'c', 'd'].map((name) => publisher(rig.port, name, 4000));
  for (let i = 0; i < publishers.length; i++) rig.attach((await rig.event('accepted', i + 1)).id, i);
  for (let i = 0; i < publishers.length; i++) await rig.flows(i, 100_000);
  const began = performance.now();
  const stopped = rig.native.stop();
  expect(rig.native.stop(), 'another call waits for the same').toBe(stopped);
  const { batches } = rig;
  await stopped;
  expect(performance.now() - began).toBeLessThan(STOP_MS);
  const next = new SrtRig({ port: rig.port });
  open.push({ close: () => next.native.stop() });
  await Promise.all(publishers.map(({ exited }) => exited));
  const rows = rig.streams.slice();
  await pause(50);
  expect(rig.streams).toEqual(rows);
  expect(rig.batches).toBe(batches);
  const { id } = rig.of('accepted')[0]!;
  expect([rig.native.attach(id, 9), rig.native.send(id, new Uint8Array(188))]).toEqual([false, false]);
  rig.native.close(id);
});

test('a thousand connections come and go, and nothing is left of them', async () => {
  const child = spawn(process.execPath, [LONE, 'takes all'], { stdio: ['ignore', 'pipe', 'inherit'] });
  open.push({ close: () => child.kill('SIGKILL') });
  const port = Number(String((await once(child.stdout, 'data'))[0]));
  const figure = (name: string): number =>
    Number(
      new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1],
    );
  const threads = figure('Threads');
  const comeAndGo = async (count: number, name: string) => {
    for (let i = 0; i < count; i++) {
      const { caller, answer } = await SrtCaller.call({ port, streamId: `live/${name}` });
      expect(answer).toEqual({ accepted: true });
      caller.send(Buffer.alloc(188, 0x47));
      caller.hangUp();
    }
  };
  /** Resident memory after so many more connections, kB. */
  const after = async (count: number) => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => comeAndGo(count / 20, `n${i}`)));
    await until(() => figure('Threads') <= threads, 'the threads of connections to end');
    return figure('VmRSS');
  };
  // What is closed stays in libsrt for a second or two, and malloc keeps the memory of the most that ever stayed.
  const before = await after(600);
  expect((await after(1_000)) - before, 'kB').toBeLessThan(GROWTH_KB);
}, 120_000);

test('a flood of refused handshakes costs a stream nothing and the queue no more than its bound', async () => {
  const rig = new SrtRig({ rules: { deny: ['127.0.0.2'] } });
  open.push({ close: () => rig.native.stop() });
  publisher(rig.port, 'cam1', 2000);
  const { id } = await rig.event('accepted');
  rig.attach(id, 0, false);
  await rig.flows(0, 100_000);
  const flood = await HandshakeFlood.start({
    port: rig.port,
    localAddress: '127.0.0.2',
    perSecond: 1_000,
    streamId: (caller) => `live/f${caller}`,
  });
  open.push(flood);
  await until(() => (flood.refused.get(1403) ?? 0) >= 2_000, '2,000 refusals');
  // Callers are answered at once, and counted in the round that follows.
  const counted = () => rig.of('refused').reduce((sum, { count }) => sum + count, 0);
  await until(() => counted() >= 2_000, 'them to be counted');
  expect(rig.of('refused').length).toBeLessThan(counted() / 2);
  for (const place of [
    SRT_STATS.LOST,
    SRT_STATS.DROPPED,
    SRT_STATS.RETRANSMITTED,
    SRT_STATS.CONTINUITY_ERRORS,
  ])
    expect(rig.stats(id, place)).toBe(0);
});

test.each([['ends by itself'], ['exits'], ['is asked to end']])(
  'a process with a listener and a live connection that %s does so at once',
  async (how) => {
    const child = spawn(process.execPath, [LONE, how], { stdio: ['ignore', 'pipe', 'inherit'] });
    open.push({ close: () => child.kill('SIGKILL') });
    const port = Number(String((await once(child.stdout, 'data'))[0]));
    publisher(port, 'cam1');
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    const began = performance.now();
    if (how === 'is asked to end') child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(performance.now() - began).toBeLessThan(5_000);
  },
);

test('a worker with a listener and a live connection is terminated, and the process lives on', async () => {
  const worker = new Worker(LONE, { argv: ['stays'], stdout: true });
  const port = Number(String((await once(worker.stdout, 'data'))[0]));
  const encoder = publisher(port, 'cam1');
  await once(worker.stdout, 'data');
  await worker.terminate();
  await encoder.exited;
  const rig = new SrtRig({ port });
  open.push({ close: () => rig.native.stop() });
  publisher(port, 'cam1');
  await rig.event('accepted');
});
