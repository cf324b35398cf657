import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buildDashboard, dashboardIsCurrent } from '../../scripts/build-dashboard.js';
import { CHROMIUM_BY_HAND, chromiumPath } from '../../scripts/test-programs.js';

/** A real Chromium that drives the dashboard of a real server. */

const SCREENSHOTS = path.resolve(import.meta.dirname, '../../build/screenshots');

/** CSS pixels: a laptop, and the narrowest phone. */
const WIDE = { width: 1440, height: 900 } as const;
export const PHONE = { width: 360, height: 740 } as const;

export interface View {
  readonly size?: { readonly width: number; readonly height: number };
  readonly colours?: 'light' | 'dark';
}

function executable(): string {
  const found = chromiumPath();
  if (found === null) throw new Error(`Chromium is missing: ${CHROMIUM_BY_HAND}`);
  return found;
}

/** One page of the dashboard, and what went wrong in it. */
export interface Tab {
  readonly page: Page;
  /** errors of the console: exceptions, breaches of the policy, assets that did not load */
  readonly errors: readonly string[];
  /** addresses asked for that are not the server's */
  readonly elsewhere: readonly string[];
}

export class TestBrowser {
  readonly #browser: Browser;

  /** Builds the dashboard first where it is not what web/ says; servers read it when they start. */
  static async launch(): Promise<TestBrowser> {
    if (!dashboardIsCurrent()) await buildDashboard();
    const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    // In a container /dev/shm may be too small for the browser's taste.
    const args = [...asRoot, '--disable-dev-shm-usage', '--disable-gpu'];
    return new TestBrowser(await chromium.launch({ executablePath: executable(), args }));
  }

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** A browser of its own for each: no tokens, no choices of another test. */
  async open(url: string, view: View = {}): Promise<Tab> {
    const context = await this.#browser.newContext({
      viewport: view.size ?? WIDE,
      colorScheme: view.colours ?? 'light',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const errors: string[] = [];
    const elsewhere: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('request', (request) => {
      const asked = new URL(request.url());
      if (asked.protocol !== 'data:' && asked.origin !== new URL(url).origin) elsewhere.push(asked.href);
    });
    await page.goto(url);
    return { page, errors, elsewhere };
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** Into build/screenshots/NAME.png, the whole page. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** CSS pixels by which the page is wider than the window: 0 where nothing has to be scrolled sideways. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
