import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { overflow, screenshot, type Tab, TestBrowser, type View } from '../support/browser.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { TestServer, until } from '../support/server.ts';

/** The streams of the dashboard in a real Chromium, with real encoders behind them. */
const CONFIG = `
limits:
  ip: { connection_rate: 1000/s, max_connections: 100 }
  client: { max_streams: 20 }
  stream: { grace: never }
policies:
  - { name: slow, match: { stream: "slow*" }, stream: { max_bitrate: 700kbps } }
`;

/** As narrow as a phone is. */
const PHONE: View = { size: { width: 390, height: 844 }, colours: 'dark' };

/** What a page is waited for, ms: readings come every second, and the machine may be busy. */
const SOON_MS = 15_000;

let server: TestServer;
let browser: TestBrowser;
let file: string;
const publishers: Publisher[] = [];
const tabs: Tab[] = [];

function publish(name: string): Publisher {
  const publisher = new Publisher(file, `${server.rtmp()}/${name}`);
  publishers.push(publisher);
  return publisher;
}

async function open(place: string, view: View = {}): Promise<Page> {
  const tab = await browser.open(server.url(`/#/${place}`), view);
  tab.page.setDefaultTimeout(SOON_MS);
  tabs.push(tab);
  return tab.page;
}

/** Waits until a row of the table, or its absence, shows what is wanted. */
function row(page: Page, path: string) {
  return page.locator('tr.stream', { has: page.getByRole('link', { name: path, exact: true }) });
}

async function paths(page: Page): Promise<string[]> {
  return (await page.locator('tr.stream .c-path').allTextContents()).map((text) => text.trim());
}

/** The part of the address that the page keeps its choice in. */
function choice(page: Page): URLSearchParams {
  return new URLSearchParams(page.url().split('?')[1] ?? '');
}

async function idOf(name: string): Promise<string> {
  return (await server.stream(`/live/${name}`)).id;
}

beforeAll(async () => {
  file = clip({ kbps: 1000 });
  [server, browser] = await Promise.all([TestServer.start({ config: CONFIG }), TestBrowser.launch()]);
});
afterEach(async () => {
  // The browser writes down each answer that is an error; those are asked for.
  const errors = tabs
    .flatMap((tab) => tab.errors)
    .filter((error) => !error.startsWith('Failed to load resource'));
  const elsewhere = tabs.flatMap((tab) => tab.elsewhere);
  await Promise.all(tabs.splice(0).map(({ page }) => page.context().close()));
  expect({ errors, elsewhere }).toEqual({ errors: [], elsewhere: [] });
});
afterAll(async () => {
  await browser?.close();
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await server?.stop();
});

test('a stream appears when it is published, presses its limit and is seen to be throttled', async () => {
  const page = await open('streams');
  await page.getByText('Nobody publishes').waitFor();
  publish('slow-stage');
  publish('cam1');
  publish('cam2');
  const stage = row(page, '/live/slow-stage');
  await stage.locator('.badge', { hasText: 'throttled' }).waitFor();
  await stage.locator('.c-bitrate .sign', { hasText: 'at limit' }).waitFor();
  const meter = stage.getByRole('meter', { name: 'Bitrate' });
  expect(await meter.getAttribute('aria-valuetext')).toMatch(/^[67]\d\d kbps of 700 kbps, at limit$/);
  expect(Number(await meter.getAttribute('aria-valuenow'))).toBeGreaterThanOrEqual(97);
  await row(page, '/live/cam1').locator('.badge', { hasText: 'live' }).waitFor();
  expect(await row(page, '/live/cam1').locator('.c-codec').textContent()).toBe('h264 640×360, aac');
  // Who presses hardest stands first.
  expect((await paths(page))[0]).toBe('/live/slow-stage');
  await screenshot(page, 'streams-wide-light');
});

test.each([1440, 1366, 1280, 1024, 900, 800])('at %i px every name is wholly visible', async (width) => {
  const page = await open('streams', { size: { width, height: 800 } });
  const link = row(page, '/live/slow-stage').locator('.c-path a');
  await link.waitFor();
  const [cell, name] = (await page.evaluate(`(() => {
    const link = document.querySelector('tr.stream .c-path a[title="/live/slow-stage"]');
    const { clientWidth, scrollWidth } = link.closest('td');
    return [{ clientWidth, scrollWidth }, link.getBoundingClientRect().width];
  })()`)) as [{ clientWidth: number; scrollWidth: number }, number];
  expect(cell.clientWidth).toBeGreaterThanOrEqual(140);
  expect(cell.scrollWidth).toBe(cell.clientWidth);
  expect(name).toBeGreaterThan(0);
  const table = await page.evaluate(`(() => {
    const { clientWidth, scrollWidth } = document.querySelector('.streams-scroll');
    return scrollWidth - clientWidth;
  })()`);
  expect(table).toBe(0);
  await screenshot(page, `streams-${width}`);
});

test('order and filter are kept in the address', async () => {
  const page = await open('streams');
  await page.locator('tr.stream').nth(2).waitFor();
  const title = page.getByRole('columnheader', { name: 'Stream' });
  await title.getByRole('button').click();
  expect(await paths(page)).toEqual(['/live/cam1', '/live/cam2', '/live/slow-stage']);
  expect(await title.getAttribute('aria-sort')).toBe('ascending');
  await title.getByRole('button').click();
  expect(await paths(page)).toEqual(['/live/slow-stage', '/live/cam2', '/live/cam1']);
  await page.getByRole('searchbox').fill('cam');
  expect(await paths(page)).toEqual(['/live/cam2', '/live/cam1']);
  expect(Object.fromEntries(choice(page))).toEqual({ q: 'cam', sort: 'path', dir: 'desc' });
  await page.reload();
  await page.locator('tr.stream').nth(1).waitFor();
  expect(await paths(page)).toEqual(['/live/cam2', '/live/cam1']);
  await page.getByRole('searchbox').fill('');
  await page.getByRole('button', { name: /^throttled/ }).click();
  expect(await paths(page)).toEqual(['/live/slow-stage']);
  expect(choice(page).get('q')).toBe('state:throttled');
  await page.getByRole('searchbox').fill('>80% protocol:srt');
  await page.getByText('No stream passes the filter').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.locator('tr.stream').nth(2).waitFor();
});

test('the keyboard goes everywhere, and the focus stays while readings come', async () => {
  const page = await open('streams?sort=path');
  await page.locator('tr.stream').nth(2).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('live');
  expect(await page.getByRole('searchbox').inputValue()).toBe('live');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  const selected = page.locator('tr.stream[aria-selected="true"]');
  expect(await selected.locator('.c-path').textContent()).toBe('/live/cam2');
  const uptime = await selected.locator('.c-uptime').textContent();
  await until(async () => (await selected.locator('.c-uptime').textContent()) !== uptime, 'the next reading');
  expect(await page.evaluate('document.activeElement.id')).toBe('streams-table');
  const active = await page.locator('#streams-table').getAttribute('aria-activedescendant');
  expect(active).toBe(`row-${await idOf('cam2')}`);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '/live/cam2' }).waitFor();
  await page.keyboard.press('k');
  await page.getByRole('dialog', { name: 'Kick /live/cam2?' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await page.locator('tr.stream').first().waitFor();
  // Back as it was left: filter, order, selected row and focus.
  expect(Object.fromEntries(choice(page))).toEqual({ q: 'live', sort: 'path' });
  await page.keyboard.press('ArrowDown');
  expect(await selected.locator('.c-path').textContent()).toBe('/live/slow-stage');
  expect(server.alive && (await server.streams()).length).toBe(3);
});

test('a page tells of one stream what it does, what holds it and why', async () => {
  const page = await open(`streams/${await idOf('slow-stage')}`);
  await page.getByRole('heading', { name: '/live/slow-stage' }).waitFor();
  await page.locator('.limits tr', { hasText: 'Bitrate' }).getByText('policies[0] slow').waitFor();
  await page.locator('.limits tr', { hasText: 'Frames' }).getByText('limits.stream').waitFor();
  await page.locator('.stream-receipts').getByText('stream_bitrate').waitFor();
  await page
    .locator('.marks')
    .getByText(/held back \d/)
    .waitFor();
  expect(await page.locator('.chart canvas').count()).toBe(4);
  await page.getByText(/^every \d/).waitFor();
  await screenshot(page, 'stream-wide-light');
});

test('a page that was opened behind another has its past once it is seen', async () => {
  const page = await open('events');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.addInitScript("Object.defineProperty(document, 'hidden', { value: true, configurable: true })");
  const id = await idOf('slow-stage');
  await page.goto(server.url(`/?behind#/streams/${id}`));
  await page.getByText('paused').waitFor();
  await page.evaluate("Object.defineProperty(document, 'hidden', { value: false })");
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await page.getByRole('heading', { name: '/live/slow-stage' }).waitFor();
  await until(() => asked.includes(`/api/v1/streams/${id}/history`), 'its past', SOON_MS);
});

test('from a stream one comes to its client and its address, and to nobody else', async () => {
  const place = `streams/${await idOf('slow-stage')}`;
  for (const [name, heading] of [
    ['Client', 'Clients'],
    ['From', 'Addresses'],
  ] as const) {
    const page = await open(place);
    const fact = page.locator('.facts').first().locator(`dt:text-is("${name}") + dd`);
    await fact.getByRole('link').click();
    await page.getByRole('heading', { name: heading, exact: true }).waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('127.0.0.1');
    await page.locator('table.sorted tbody tr', { hasText: '127.0.0.1' }).waitFor();
  }
});

describe('actions', () => {
  test('a temporary limit is asked for in words, held by the server, and taken back', async () => {
    const page = await open(`streams/${await idOf('cam1')}`);
    await page.getByRole('button', { name: 'Limit…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Bitrate').fill('4');
    await dialog.getByRole('button', { name: 'Set limit' }).click();
    await dialog.getByText('4 has no unit; did you mean 4bps, 4kbps, 4Mbps, 4MB/s?').waitFor();
    await dialog.getByLabel('Bitrate').fill('500kbps');
    await dialog.getByRole('button', { name: 'Set limit' }).click();
    await page.getByRole('dialog', { name: 'Limited /live/cam1' }).waitFor();
    const held = await server.stream('/live/cam1', ({ state }) => state === 'throttled');
    expect(held.limits).toMatchObject({ max_bitrate_bps: 500_000, sources: { max_bitrate: 'override' } });
    await page.getByRole('button', { name: 'Close' }).click();
    await page
      .locator('.limits')
      .getByText(/a temporary limit, until \d\d:\d\d/)
      .waitFor();
    await page.locator('.page-head .badge', { hasText: 'throttled' }).waitFor();
    await page.getByRole('button', { name: 'Limit…' }).click();
    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('dialog', { name: '/live/cam1 is under its config again' }).waitFor();
    expect((await server.stream('/live/cam1')).limits).toMatchObject({
      max_bitrate_bps: 6_000_000,
      override_until: null,
    });
  });

  test('a kick ends the encoder, links its receipt, and the page says how the stream ended', async () => {
    const encoder = publish('doomed');
    const id = await idOf('doomed');
    const page = await open(`streams/${id}`);
    await page.getByRole('button', { name: 'Kick…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/^Cooldown/).fill('soon');
    await dialog.getByRole('button', { name: 'Kick', exact: true }).click();
    await dialog.getByRole('alert').waitFor();
    expect(encoder.alive).toBe(true);
    // The address is every test's: only this one is kept out, and not for long.
    await dialog.getByLabel(/^Cooldown/).fill('0s');
    await dialog.getByLabel(/^Reason/).fill('wrong camera');
    await dialog.getByRole('button', { name: 'Kick', exact: true }).click();
    await page.getByText('It may return at once.').waitFor();
    const receipt = await server.receipt('kicked', ({ stream }) => stream === id);
    const link = page.getByRole('dialog').getByRole('link', { name: receipt.id });
    expect(await link.getAttribute('href')).toContain(receipt.id);
    expect(await encoder.exited).not.toBe(0);
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByText('This stream has ended').waitFor();
    await page.locator('.ended').getByText('wrong camera').waitFor();
    await screenshot(page, 'stream-ended');
    await page.locator('.ended').getByRole('link', { name: receipt.id }).click();
    await page.locator('main').getByText(receipt.id).first().waitFor();
  });

  test('a stream that nobody knows is said to be unknown', async () => {
    const page = await open('streams/s-nobody');
    await page.getByText('There is no such stream (any more)').waitFor();
  });
});

test('backpressure is ordered from the overview, which says whom it would cost his stream', async () => {
  const page = await open('');
  await page.getByRole('button', { name: 'Order…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox').selectOption('shed');
  await dialog.getByRole('button', { name: 'Order', exact: true }).click();
  await dialog.getByText('shed needs the priority below which streams go').waitFor();
  await dialog.getByRole('spinbutton').fill('51');
  await dialog.getByText('Cuts 3 of 3 live streams now').waitFor();
  await dialog.getByRole('combobox').selectOption('off');
  await dialog.getByRole('button', { name: 'Order', exact: true }).click();
  await dialog.getByText(/In force: ordered off until \d\d:/).waitFor();
  expect(await server.get('/api/v1/backpressure')).toMatchObject({ mode: 'off' });
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByText(/ordered off until/).waitFor();
  await page
    .locator('.verdict')
    .getByText(/^Nobody is given up .* until \d\d:\d\d:\d\d, by order of operator/)
    .waitFor();
  await screenshot(page, 'overview-ordered');
});

test('on a phone streams are compact rows, and nothing has to be scrolled sideways', async () => {
  const page = await open('streams', PHONE);
  await row(page, '/live/slow-stage').locator('.sign', { hasText: 'at limit' }).first().waitFor();
  expect(await page.locator('thead').first().isVisible()).toBe(false);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await screenshot(page, 'streams-phone-dark');
  await row(page, '/live/slow-stage').locator('.c-bitrate').click();
  await page.getByRole('heading', { name: '/live/slow-stage' }).waitFor();
  await page.locator('.stream-receipts').waitFor();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await screenshot(page, 'stream-phone-dark');
});

test('a viewer sees it all, and why he cannot act', async () => {
  const token = 'viewer-token-of-this-test-0123456789';
  const guarded = await TestServer.start({
    config: `admin: { tokens: [ { token: ${token}, role: viewer } ] }`,
  });
  const encoder = new Publisher(file, `${guarded.rtmp()}/cam`);
  try {
    const tab = await browser.open(guarded.url('/#/streams'));
    tabs.push(tab);
    tab.page.setDefaultTimeout(SOON_MS);
    await tab.page.getByRole('textbox', { name: 'Token' }).fill(token);
    await tab.page.getByRole('button', { name: 'Sign in' }).click();
    await tab.page.getByRole('link', { name: '/live/cam', exact: true }).click();
    await tab.page.getByText(/Your token is a viewer/).waitFor();
    expect(await tab.page.getByRole('button', { name: 'Kick…' }).isDisabled()).toBe(true);
    expect(await tab.page.getByRole('button', { name: 'Limit…' }).isDisabled()).toBe(true);
  } finally {
    await encoder.stop();
    await guarded.stop();
  }
});
