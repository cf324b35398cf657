import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { overflow, PHONE, screenshot, type Tab, TestBrowser } from '../support/browser.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { TestServer, until } from '../support/server.ts';

/** The dashboard's frame and its overview, in a real Chromium, of a real server with a real publisher. */

const CONFIG = 'limits:\n  global: { max_bandwidth: 20Mbps }\n  client: { max_streams: 1 }';

/** ms for something to be seen: a snapshot comes once a second, the machine may be busy. */
const SEEN_MS = 15_000;

let browser: TestBrowser;
const servers: TestServer[] = [];

async function serve(...[options]: Parameters<typeof TestServer.start>): Promise<TestServer> {
  const server = await TestServer.start(options);
  servers.push(server);
  return server;
}

/** The text of what `selector` finds, once `pattern` is in it. */
async function seen({ page }: Tab, selector: string, pattern: RegExp): Promise<string> {
  return until(
    async () => {
      const texts = await page.locator(selector).allInnerTexts();
      return texts.find((text) => pattern.test(text)) ?? null;
    },
    `${selector} to say ${pattern}`,
    SEEN_MS,
  );
}

beforeAll(async () => {
  browser = await TestBrowser.launch();
});
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));
afterAll(() => browser.close());

describe('with a publisher', () => {
  let server: TestServer;
  let publisher: Publisher;

  beforeAll(async () => {
    const file = clip({ kbps: 1000 });
    server = await TestServer.start({ config: CONFIG });
    publisher = new Publisher(file, `${server.rtmp()}/cam1`);
    await server.stream('/live/cam1', ({ usage }) => usage.bitrate_bps > 500_000);
    const second = new Publisher(file, `${server.rtmp()}/cam2`, { loop: false });
    await second.exited;
  });
  afterAll(async () => {
    await publisher.stop();
    await server.stop();
  });

  test('the overview shows it live, says that all is well, and asks no other host', async () => {
    const tab = await browser.open(server.url('/'));
    await seen(tab, '.verdict', /All is well/);
    await seen(tab, '.machine', /gate[\s\S]*open/);
    await seen(tab, '.tile', /[\d.]+ [kM]bps\s+of 20\.0 Mbps/);
    await seen(tab, '.pressing', /\/live\/cam1[\s\S]*live[\s\S]*(Bitrate|Frames)/);
    expect(await tab.page.locator('.top').textContent()).toMatch(/ingest-1[\s\S]*Streams\s*1[\s\S]*live/);
    const first = await seen(tab, '.tile', /packets\/s/);
    await until(
      async () => (await seen(tab, '.tile', /packets\/s/)) !== first,
      'the figures to move',
      SEEN_MS,
    );
    await screenshot(tab.page, 'overview-wide-light');
    expect({ errors: tab.errors, elsewhere: tab.elsewhere }).toEqual({ errors: [], elsewhere: [] });
  });

  test('who was refused is told with the reason and what to do, and the receipt is one step away', async () => {
    const tab = await browser.open(server.url('/'));
    await seen(tab, '.refusals', /client_streams\s+1/);
    const told = await seen(tab, '.latest', /cam2/);
    expect(told).toContain(
      '/live/cam2 from 127.0.0.1 over rtmp was refused because this client had 1 stream',
    );
    await tab.page.locator('.latest .story + td a').first().click();
    await seen(tab, 'main', /client_streams[\s\S]*raise max_streams/);
    expect(tab.page.url()).toMatch(/#\/receipts\?key=r-/);
  });

  test('charts are full at once: the server remembers the last minutes', async () => {
    const rows = await until(async () => {
      const { columns } = await server.get<{ columns: { bitrate_bps: unknown[] } }>('/api/v1/history');
      return columns.bitrate_bps.length >= 3 ? columns.bitrate_bps.length : null;
    }, 'some history');
    const tab = await browser.open(server.url('/'));
    await seen(tab, '.tile .u-legend', /^in\s*[\d.]+ [kM]bps/);
    expect(rows).toBeGreaterThanOrEqual(3);
    // What is drawn is more than the background, which a canvas that holds nothing is transparent for.
    const painted = await tab.page.evaluate(`(() => {
      const canvas = document.querySelector('.tile .chart canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value, index) => index % 4 === 3 && value === 255);
    })()`);
    expect(painted).toBe(true);
  });

  test('every page is reached by keyboard alone', async () => {
    const tab = await browser.open(server.url('/'));
    await seen(tab, '.verdict', /All is well/);
    const visited: string[] = [];
    for (const name of ['Streams', 'Clients', 'Addresses', 'Receipts', 'Events', 'Overview']) {
      const link = tab.page.locator('nav a', { hasText: name });
      await until(async () => {
        await tab.page.keyboard.press('Tab');
        return (await tab.page.locator('nav a:focus', { hasText: name }).count()) === 1;
      }, `the focus on ${name}`);
      await tab.page.keyboard.press('Enter');
      await until(async () => (await link.getAttribute('aria-current')) === 'page', `${name} to be shown`);
      visited.push(new URL(tab.page.url()).hash);
    }
    expect(visited).toEqual(['#/streams', '#/clients', '#/addresses', '#/receipts', '#/events', '#/']);
    expect(tab.errors).toEqual([]);
  });

  test.each([360, 390, 700, 800, 1024])('at %i px no page lies beyond the edge of the bar', async (width) => {
    const tab = await browser.open(server.url('/'), { size: { width, height: 740 } });
    await seen(tab, '.verdict', /All is well/);
    const hidden = await tab.page.evaluate(`(() => {
      const bar = document.querySelector('.top nav').getBoundingClientRect();
      const links = [...document.querySelectorAll('.top nav a')];
      return links.filter((link) => {
        const { right, bottom } = link.getBoundingClientRect();
        return right > bar.right || bottom > bar.bottom;
      }).map(({ textContent }) => textContent);
    })()`);
    expect(hidden).toEqual([]);
    const told = 'parseInt(getComputedStyle(document.documentElement).getPropertyValue("--top-height"))';
    const bar = 'document.querySelector(".top").getBoundingClientRect().height';
    expect(await tab.page.evaluate(bar)).toBeCloseTo(Number(await tab.page.evaluate(told)), -0.5);
    await screenshot(tab.page, `overview-${width}`);
  });

  test.each(['light', 'dark'] as const)(
    'on a phone in %s nothing has to be scrolled sideways',
    async (colours) => {
      const tab = await browser.open(server.url('/'), { size: PHONE, colours });
      await seen(tab, '.pressing', /\/live\/cam1/);
      expect(await overflow(tab.page)).toBe(0);
      const background = await tab.page.evaluate(
        'getComputedStyle(document.documentElement).backgroundColor',
      );
      expect(background).toBe(colours === 'light' ? 'rgb(245, 246, 248)' : 'rgb(13, 16, 21)');
      await screenshot(tab.page, `overview-phone-${colours}`);
    },
  );

  test('the colours chosen go before those of the system, and are kept', async () => {
    const tab = await browser.open(server.url('/'));
    const shade = () => tab.page.evaluate('document.documentElement.dataset.theme');
    const button = tab.page.locator('.tools button.icon');
    await until(async () => (await shade()) === 'light', 'the page');
    while ((await shade()) !== 'dark') await button.click();
    await tab.page.reload();
    await seen(tab, '.verdict', /All is well/);
    expect(await shade()).toBe('dark');
    await screenshot(tab.page, 'overview-wide-dark');
  });
});

test('a server that goes is noticed, what is shown is called old, and it comes back by itself', async () => {
  const first = await serve();
  const { admin } = first.ports;
  const tab = await browser.open(first.url('/'));
  await seen(tab, '.verdict', /All is well/);
  await first.stop();
  await seen(tab, '.banner', /No connection[\s\S]*What is shown is \d+ s old[\s\S]*Try now/);
  await until(
    async () => (await tab.page.locator('main.stale').count()) === 1,
    'it to be greyed out',
    SEEN_MS,
  );
  expect(
    await tab.page.evaluate(`(() => {
      const { filter, opacity } = getComputedStyle(document.querySelector('main'));
      return { filter, opacity };
    })()`),
    'paler letters are hard to read',
  ).toEqual({ filter: 'grayscale(1)', opacity: '1' });
  expect(await tab.page.locator('.tools').textContent()).toContain('offline');
  await seen(tab, '.verdict', /Not known now/);
  await screenshot(tab.page, 'overview-stale');
  await serve({ env: { HEADGATE_LISTEN__ADMIN: `127.0.0.1:${admin}` } });
  await until(async () => (await tab.page.locator('.banner').count()) === 0, 'the banner to go', 30_000);
  await until(async () => (await tab.page.locator('main.stale').count()) === 0, 'the colours', SEEN_MS);
  await seen(tab, '.tools', /live/);
});

test('a hidden tab asks for nothing', async () => {
  const server = await serve();
  const tab = await browser.open(server.url('/'));
  await seen(tab, '.verdict', /All is well/);
  const hide = (hidden: boolean) =>
    tab.page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`);
  await hide(true);
  await seen(tab, '.tools', /paused/);
  expect(await tab.page.locator('.banner').count()).toBe(0);
  await hide(false);
  await seen(tab, '.tools', /live/);
});

test('where tokens are needed one is asked for; a wrong one is told, the right one is kept for the tab', async () => {
  const config = 'admin: { tokens: [ { token: "a-token-that-nobody-guesses", role: viewer } ] }';
  const server = await serve({ config });
  const tab = await browser.open(server.url('/'));
  const { page } = tab;
  await seen(tab, 'dialog', /asks for a token/);
  await screenshot(page, 'token');
  // The browser closes a dialog at the second Escape in a row without asking.
  for (let press = 0; press < 3; press++) await page.keyboard.press('Escape');
  await seen(tab, 'dialog[open]', /asks for a token/);
  await page.keyboard.type('a-token-that-somebody-guessed');
  await page.keyboard.press('Enter');
  await seen(tab, 'dialog', /does not know this token/);
  await page.keyboard.press('Enter');
  await seen(tab, '.tools', /locked/);
  await page.locator('dialog input').fill('a-token-that-nobody-guesses');
  await page.keyboard.press('Enter');
  await seen(tab, '.verdict', /All is well/);
  expect(await page.locator('dialog').count()).toBe(0);
  await page.reload();
  await seen(tab, '.verdict', /All is well/);
  await page.locator('.tools button', { hasText: 'Sign out' }).click();
  await seen(tab, 'dialog', /asks for a token/);
});

test('a closed gate is the first thing to be seen, with the resource that closed it and what to do', async () => {
  // A young server's heap is more than a hundredth of 128 MB.
  const config = 'resources: { cpu: null, heap: { degrade: 1%, close: 2% }, memory: null, event_loop: null }';
  const server = await serve({ config, nodeArgs: ['--max-old-space-size=128'] });
  const tab = await browser.open(server.url('/'));
  await seen(tab, '.verdict.bad', /This needs you now[\s\S]*The gate is closed: newcomers are refused/);
  const told = await seen(
    tab,
    '.verdict',
    /JavaScript heap is at \d+ %; 2 % is the mark at which the gate closes/,
  );
  expect(told).toMatch(/resources\.heap has the marks/);
  await seen(tab, '.machine tbody tr', /JavaScript heap[\s\S]*critical/);
  await screenshot(tab.page, 'overview-closed');
  expect(tab.errors).toEqual([]);
});
