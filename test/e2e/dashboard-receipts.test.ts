import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { overflow, PHONE, screenshot, type Tab, TestBrowser } from '../support/browser.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { RtmpClient } from '../support/rtmp-client.ts';
import { TestServer, until } from '../support/server.ts';

/** Receipts, clients, addresses and events in a real browser, of real publishers that meet real limits. */
const CONFIG = `
limits:
  client: { max_streams: 2, publish_rate: 1000/min }
  ip: { connection_rate: 1000/s, max_connections: 100 }
clients:
  - { id: alice, tier: pro, priority: 80, keys: [ k-alice-1 ] }
tiers:
  pro: { client: { max_streams: 5 } }
`;

/** What an open server calls a publisher of this machine. */
const CLIENT = '127.0.0.1';

/** Clients are asked for every two seconds. */
const SLOW_ANSWER_MS = 3_500;

let server: TestServer;
let browser: TestBrowser;
let file: string;
const publishers: Publisher[] = [];
let tab: Tab | null = null;

function publish(name: string): Publisher {
  const publisher = new Publisher(file, `${server.rtmp()}/${name}`);
  publishers.push(publisher);
  return publisher;
}

async function open(hash: string, view = {}): Promise<Tab> {
  tab = await browser.open(server.url(`/#${hash}`), view);
  return tab;
}

beforeAll(async () => {
  file = clip({ kbps: 1000 });
  [server, browser] = await Promise.all([TestServer.start({ config: CONFIG }), TestBrowser.launch()]);
  publish('cam1');
  publish('cam2');
  await server.stream('/live/cam1');
  await server.stream('/live/cam2', ({ usage }) => usage.bitrate_bps > 500_000);
  publish('cam3');
  await server.receipt('client_streams');
});

afterAll(async () => {
  await browser?.close();
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await server?.stop();
});

afterEach(async () => {
  const { errors = [], elsewhere = [] } = tab ?? {};
  await tab?.page.context().close();
  tab = null;
  expect({ errors, elsewhere }).toEqual({ errors: [], elsewhere: [] });
});

test('a refused publisher is found by its path, name, address, reason, receipt and the line it was told', async () => {
  const { id } = await server.receipt('client_streams');
  const { page } = await open('/receipts');
  const search = page.getByLabel('Search receipts');
  const story = page.getByRole('article', { name: id });
  await story.waitFor();
  for (const sought of [
    '/live/cam3',
    'cam3',
    CLIENT,
    id,
    `rtmp://x/live/cam3`,
    `headgate: no receipt=${id}`,
  ]) {
    await search.fill('nobody-of-that-name');
    await page.getByText('No receipt about nobody-of-that-name').waitFor();
    await search.fill(sought);
    await story.waitFor();
  }
  await search.fill('');
  await page.getByLabel('Reason').selectOption('auth_failed');
  await page.getByText('No receipt for auth_failed').waitFor();
  await page.getByLabel('Reason').selectOption('client_streams');
  await story.waitFor();
  const text = await story.textContent();
  expect(text).toMatch(
    /\/live\/cam3 from 127\.0\.0\.1 over rtmp was refused because this client had 2 streams/,
  );
  expect(text).toMatch(/2 seen, 2 allowed/);
  expect(text).toContain('End one of its streams, or raise max_streams');
});

test('a link leads to one story, and the page says who else it is about', async () => {
  const { id } = await server.receipt('client_streams');
  const { page } = await open(`/receipts?key=${id}`);
  expect(await page.getByLabel('Search receipts').inputValue()).toBe(id);
  await page.getByRole('article').waitFor();
  expect(await page.getByRole('article').count()).toBe(1);
  await page.getByRole('article').getByRole('link', { name: '/live/cam3' }).click();
  await page.waitForURL(/key=%2Flive%2Fcam3$/);
  const search = page.getByLabel('Search receipts');
  await until(async () => (await search.inputValue()) === '/live/cam3', 'the search to say what is shown');
});

test('new receipts come by themselves, and do not move what somebody reads', async () => {
  const { page } = await open('/receipts');
  await page.getByRole('article').first().waitFor();
  const first = page.getByRole('article').first();
  await first.getByRole('link', { name: '/live/' }).first().focus();
  const before = await first.getAttribute('aria-label');
  publish('cam4');
  const more = page.getByRole('button', { name: /new receipt/ });
  await more.waitFor();
  expect(await first.getAttribute('aria-label')).toBe(before);
  await more.click();
  await page.getByRole('article').filter({ hasText: '/live/cam4' }).waitFor();
  expect(await more.count()).toBe(0);
  publish('cam5');
  await page.getByRole('article').filter({ hasText: '/live/cam5' }).waitFor();
});

test('clients stand against their limits, and lead to their streams', async () => {
  const stream = await server.stream('/live/cam1');
  const { page } = await open('/clients');
  const row = page.getByRole('row').filter({ hasText: CLIENT });
  await row.getByText('2 of 2').waitFor();
  expect(await row.getByRole('meter', { name: 'streams' }).getAttribute('aria-valuenow')).toBe('100');
  await until(
    async () => /[\d.]+ [kM]bps of 20/.test((await row.textContent()) ?? ''),
    'a bitrate against its limit',
  );
  await page.getByRole('row').filter({ hasText: 'alice' }).getByText('0 of 5').waitFor();
  const order = async () =>
    (await page.locator('tbody tr td:first-child').allInnerTexts()).map((id) => id.split(/\s/)[0]);
  expect(await order()).toEqual([CLIENT, 'alice']);
  await page.getByRole('button', { name: 'Priority' }).press('Enter');
  expect(await order()).toEqual(['alice', CLIENT]);
  expect(await page.getByRole('columnheader', { name: 'Priority' }).getAttribute('aria-sort')).toBe(
    'descending',
  );
  await row.getByRole('link', { name: '/live/cam1' }).click();
  await page.waitForURL(new RegExp(`#/streams/${stream.id}$`));
});

test('a kick shows among the events as it happens, and its address cools down', async () => {
  const { page } = await open('/events');
  await page.getByRole('row').filter({ hasText: 'start' }).waitFor();
  const { id } = await server.stream('/live/cam2');
  await fetch(server.url(`/api/v1/streams/${id}?cooldown=300s&reason=too%20loud`), { method: 'DELETE' });
  const kick = page
    .getByRole('row')
    .filter({ hasText: 'too loud' })
    .filter({ hasText: 'operator@127.0.0.1' });
  await kick.waitFor();
  await page.getByLabel('Kind').selectOption('kick');
  await page.waitForURL(/kind=kick$/);
  await until(async () => (await page.locator('tbody tr').count()) === 1, 'only kicks to be shown');
  await kick.waitFor();
  await page.goto(server.url('/#/addresses'));
  const row = page.getByRole('row').filter({ hasText: CLIENT });
  const timer = row.getByRole('timer');
  await timer.waitFor();
  expect(await row.textContent()).toMatch(/after kicked/);
  const left = await timer.textContent();
  expect(left).toMatch(/^(4 min( \d+ s)?|5 min)$/);
  await until(async () => (await timer.textContent()) !== left, 'the time to run');
  await page.goto(server.url(`/#/receipts?key=${id}`));
  const story = page.getByRole('article').filter({ hasText: 'too loud' });
  expect(await story.getByRole('timer').textContent()).toMatch(/min/);
});

test.each([
  ['light', undefined],
  ['dark', PHONE],
] as const)('every page fits, %s', async (colours, size) => {
  const view = size === undefined ? { colours } : { colours, size };
  const { page } = await open('/receipts', view);
  for (const name of ['receipts', 'clients', 'addresses', 'events']) {
    await page.goto(server.url(`/#/${name}`));
    await page.locator('article, tbody tr').first().waitFor();
    expect(await overflow(page)).toBe(0);
    await screenshot(page, `${name}-${colours}-${size === undefined ? 'wide' : 'narrow'}`);
  }
});

test('the keyboard alone finds a receipt: / goes to the search, Escape empties it', async () => {
  const { page } = await open('/receipts');
  await page.getByRole('article').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('cam3');
  await page.waitForURL(/key=cam3$/);
  await page.keyboard.press('Escape');
  await page.waitForURL(/#\/receipts$/);
});

test('older ones are shown on demand, below what is there', async () => {
  publish('cam6');
  await server.stream('/live/cam6');
  for (let refused = 0; refused < 100; refused++) {
    const client = await RtmpClient.open({ port: server.ports.rtmp });
    expect((await client.publish('live', `flood-${refused}`)).code).toBe('NetStream.Publish.Rejected');
  }
  const { page } = await open('/receipts');
  const stories = page.getByRole('article');
  await page.getByRole('article').filter({ hasText: 'flood-99' }).waitFor();
  expect(await stories.count()).toBe(100);
  const first = page.getByRole('article').filter({ hasText: '/live/cam3' });
  expect(await first.count()).toBe(0);
  await page.getByRole('button', { name: 'Show older ones' }).click();
  await first.waitFor();
  expect(await stories.count()).toBeGreaterThan(100);
});

test('an answer that takes longer than the pause between two questions is waited for', async () => {
  const { page } = await open('/');
  await page.route('**/api/v1/clients?*', async (route) => {
    await pause(SLOW_ANSWER_MS);
    await route.continue().catch(() => undefined);
  });
  await page.goto(server.url('/#/clients'));
  await page.locator('table.sorted tr', { hasText: 'alice' }).waitFor();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('a page that nothing has happened for says what would be there', async () => {
  const quiet = await TestServer.start();
  try {
    tab = await browser.open(quiet.url('/#/receipts'));
    await tab.page.getByText('Nobody was refused, slowed down or cut').waitFor();
    await tab.page.goto(quiet.url('/#/clients'));
    await tab.page.getByText('No client yet').waitFor();
    await tab.page.goto(quiet.url('/#/addresses'));
    await tab.page.getByText('No address now').waitFor();
    await tab.page.context().close();
  } finally {
    await quiet.stop();
  }
});
