import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestBrowser } from '../support/browser.ts';
import { scrollFor } from '../support/scrolling.ts';
import { TestServer, until } from '../support/server.ts';

/** More streams than a page could draw. How smooth it is with 2,000 is measured by bench/load/dashboard.ts. */
const STREAMS = 400;

/** Between two frames of each, ms. */
const FRAME_MS = 2_000;

/** All of them publish by then, on a busy machine, ms. */
const ALL_LIVE_MS = 45_000;

const PUBLISHERS = path.resolve(import.meta.dirname, '../../bench/load/light-publishers.ts');

let server: TestServer;
let browser: TestBrowser;
let crowd: ChildProcess;

beforeAll(async () => {
  server = await TestServer.start({
    config: `
limits:
  global: { max_connections: 1000, connection_rate: 10000/s, max_streams: 1000 }
  ip: { max_connections: 1000, connection_rate: 10000/s }
  client: { max_streams: 1000, publish_rate: 100000/min }`,
  });
  const args = [server.ports.rtmp, STREAMS, FRAME_MS].map(String);
  crowd = spawn(process.execPath, [PUBLISHERS, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  browser = await TestBrowser.launch();
});
afterAll(async () => {
  await browser?.close();
  crowd?.kill('SIGKILL');
  await server?.stop();
});

test('of hundreds of streams those that are seen are drawn, wherever one scrolls, and readings go on', async () => {
  const { page, errors } = await browser.open(server.url('/#/streams?sort=path'));
  const table = page.locator('#streams-table');
  await until(
    async () => Number(await table.getAttribute('aria-rowcount').catch(() => 0)) === STREAMS + 1,
    'every stream in the table',
    ALL_LIVE_MS,
  );
  const { frames, rowsMax, blank } = await scrollFor(page, 3, 200);
  expect(rowsMax).toBeLessThan(60);
  // A frame may come before the rows of its place; two in a row would be a flicker.
  expect(blank).toBeLessThan(frames.length / 10 + 2);

  await table.focus();
  await page.keyboard.press('End');
  const last = page.locator('tr.stream[aria-selected="true"]');
  expect(await last.getAttribute('aria-rowindex')).toBe(String(STREAMS + 1));
  const name = await last.locator('.c-path').textContent();
  const uptime = await last.locator('.c-uptime').textContent();
  await until(async () => (await last.locator('.c-uptime').textContent()) !== uptime, 'the next reading');
  expect(await last.locator('.c-path').textContent()).toBe(name);

  await page.getByRole('searchbox').fill('camera-399');
  await until(async () => (await page.locator('tr.stream').count()) === 1, 'the one that was asked for');
  expect(errors).toEqual([]);
});
