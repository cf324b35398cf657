import { expect, test } from 'vitest';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { Thermometer } from '../support/burners.ts';
import { headgate } from '../support/cli.ts';
import { clip } from '../support/ffmpeg.ts';
import { act, isOpen, resourcesOf } from '../support/governed.ts';
import { RtmpClient } from '../support/rtmp-client.ts';
import { Scene } from '../support/scene.ts';
import { pause, type TestServer, until } from '../support/server.ts';
import { SrtCaller } from '../support/srt-client.ts';
import { tsClip } from '../support/srt-publishers.ts';

/**
 * Others take the processors away from a server with live streams: its gate
 * closes, those that are live go on as if nothing were, and it opens again.
 * The marks are such that only a machine without any rest reaches them, and
 * that a little of it is enough to leave them: others may use it too.
 */

const WINDOW_MS = 1_000;
const REOPEN_AFTER_MS = 1_000;
/** Below this the CPU is taken to be calm: half way between the marks. */
const REOPEN_BELOW = 0.975;
const RESOURCES = [
  'resources:',
  `  cpu: { degrade: 96%, close: 99%, window: ${WINDOW_MS}ms }`,
  '  heap: null',
  '  memory: null',
  '  event_loop: null',
  `  reopen_after: ${REOPEN_AFTER_MS}ms`,
].join('\n');

/** From sustained load to a closed gate, and from calm to an open one beyond what the config makes it wait, ms. */
const CLOSE_BAR_MS = 2_000;
const REOPEN_BAR_MS = 2_000;

/** How long the load lasts with everybody refused, ms. */
const BURN_MS = 4_000;

/** Time for the machine to have a moment of rest, ms: others may use it too. */
const REST_MS = 50_000;

/** Between two looks at how busy the processors are, ms. */
const LOOK_MS = 250;

/** Frames a second of the clips. */
const FPS = 30;

/** Waits until the gate is open; gives when the processors were last too busy for it, unix ms. */
async function reopened(server: TestServer): Promise<number> {
  const thermometer = new Thermometer();
  let busyAt = Date.now();
  await until(
    async () => {
      await pause(LOOK_MS);
      if (thermometer.read() >= REOPEN_BELOW) busyAt = Date.now();
      return isOpen(server);
    },
    'the gate to open: nothing else may keep this machine busy',
    REST_MS,
  );
  return busyAt;
}

async function expectRefused(server: TestServer): Promise<void> {
  const client = await RtmpClient.open({
    port: server.ports.rtmp,
    localAddress: '127.1.0.1',
    handshake: 'none',
  });
  await client.closes();
  expect(client.bytesIn).toBe(0);
  const { caller, answer } = await SrtCaller.call({
    port: server.ports.srt,
    streamId: '#!::r=live/newcomer,m=publish',
    localAddress: '127.1.0.2',
  });
  caller.vanish();
  expect(answer).toEqual({ accepted: false, refused: 1402 });
  for (const [protocol, ip] of [
    ['rtmp', '127.1.0.1'],
    ['srt', '127.1.0.2'],
  ]) {
    const receipt = await server.receipt('resource_cpu', (found) => found.ip === ip);
    expect(receipt).toMatchObject({ action: 'refuse', protocol, scope: 'resource', key: 'cpu', limit: 0.99 });
    expect(receipt.observed).toBeGreaterThan(REOPEN_BELOW);
    expect(receipt.retry_after_ms).toBeGreaterThan(0);
  }
}

async function expectUnready(server: TestServer): Promise<void> {
  const answer = await fetch(server.url('/readyz'));
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await answer.json()).toMatchObject({ ready: false, reasons: ['resource_cpu'] });
}

async function expectExplained(server: TestServer): Promise<void> {
  const top = await headgate(['top', '--once', '--url', server.url('')]);
  expect(top.stdout).toMatch(/GATE CLOSED: resource_cpu, opens in/);
  expect(top.stdout).toMatch(/cpu \S+ (99|100)%!!/);
  const why = await headgate(['why', '127.1.0.1', '--url', server.url('')]);
  expect(why.stdout).toMatch(/A connection from 127\.1\.0\.1 over rtmp was refused because the CPU/);
  expect(why.stdout).toMatch(/(99|100)% busy/);
  expect(why.stdout).toContain('resources.cpu');
}

/** The same stream, whole: none of its frames is missing, and it was not made to wait. */
function expectWhole(before: StreamSnapshot, after: StreamSnapshot): void {
  const told = JSON.stringify(after);
  expect(after.id, told).toBe(before.id);
  expect(after.usage, told).toMatchObject({
    dropped_frames: 0,
    dropped_bytes: 0,
    throttled_ms: 0,
    violations: 0,
  });
  expect(after.share, told).toEqual({ ceiling_bps: null, by: null });
  const due = ((after.uptime_ms - before.uptime_ms) / 1000) * FPS;
  // A second may be on its way: its encoder is as short of CPU as everybody.
  expect(after.usage.frames - before.usage.frames, told).toBeGreaterThan(due - FPS);
}

test('both processors are taken: nobody new is let in, nobody who is live notices, and it passes', async () => {
  await using scene = await Scene.open([]);
  const { server } = scene;
  scene.rtmp('tcp', clip({ kbps: 1000 }));
  scene.srt('udp', tsClip({ kbps: 1000 }));
  const tcp = await server.stream('/live/tcp', ({ usage }) => usage.frames > 0);
  const udp = await server.stream('/live/udp', ({ usage }) => usage.frames > 0);
  server.configure(RESOURCES);
  await until(
    async () => {
      const { gate, resources } = await resourcesOf(server);
      return gate.open && resources.cpu.value !== null;
    },
    'the gate to be open under its new marks: nothing else may keep this machine busy',
    REST_MS,
  );

  const burners = scene.burn();
  await burners.burning();
  const burningAt = Date.now();
  await until(async () => !(await isOpen(server)), 'the gate to close');
  const closedAt = Date.parse((await act(server, 'gate', /^the gate is closed: cpu at (99|100) %/)).at);
  expect(closedAt - burningAt).toBeLessThan(CLOSE_BAR_MS);
  await expectRefused(server);
  await expectUnready(server);
  await expectExplained(server);
  await pause(Math.max(0, burningAt + BURN_MS - Date.now()));
  expect(await isOpen(server)).toBe(false);

  await burners.stop();
  const busyAt = await reopened(server);
  const openedAt = Date.parse((await act(server, 'gate', /^the gate (is open|lets in)/, closedAt)).at);
  expect(openedAt - busyAt).toBeLessThan(WINDOW_MS + REOPEN_AFTER_MS + REOPEN_BAR_MS);
  expect((await fetch(server.url('/readyz'))).status).toBe(200);
  expectWhole(tcp, await server.stream('/live/tcp'));
  const after = await server.stream('/live/udp');
  expectWhole(udp, after);
  expect(after.transport).toMatchObject({ dropped: 0, continuity_errors: 0 });
}, 150_000);
