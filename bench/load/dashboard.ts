/**
 * Whether the table of streams stutters: `node bench/load/dashboard.ts [STREAMS] [SECONDS]`. A real server with that
 * many publishers, a real Chromium that scrolls through all of them while readings come; frame times and long tasks.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { TestBrowser } from '../../test/support/browser.ts';
import { type ScrollFigures, scrollFor } from '../../test/support/scrolling.ts';
import { TestServer, until } from '../../test/support/server.ts';

const streams = Number(process.argv[2] ?? 2_000);
const seconds = Number(process.argv[3] ?? 15);

/** Between two frames of each publisher, ms: the machine is wanted for the browser. */
const FRAME_MS = 2_000;

/** Publishing takes a round trip or two each. */
const ALL_LIVE_MS = 120_000;

/** CSS pixels a frame: a slow wheel, and a scrollbar that is dragged. */
const STEPS = [60, 1_500];

const server = await TestServer.start({
  config: `
limits:
  global: { max_connections: 5000, connection_rate: 10000/s, max_streams: 5000 }
  ip: { max_connections: 5000, connection_rate: 10000/s }
  client: { max_streams: 5000, publish_rate: 100000/min }`,
});
const crowd: ChildProcess = spawn(
  process.execPath,
  [
    path.resolve(import.meta.dirname, 'light-publishers.ts'),
    ...[server.ports.rtmp, streams, FRAME_MS].map(String),
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
const browser = await TestBrowser.launch();
try {
  const { page } = await browser.open(server.url('/#/streams?sort=bitrate'));
  const rows = page.locator('#streams-table');
  await until(
    async () => Number(await rows.getAttribute('aria-rowcount')) === streams + 1,
    'every stream in the table',
    ALL_LIVE_MS,
  );
  const devtools = await page.context().newCDPSession(page);
  // Of the page's main thread, so that whatever else runs on the machine does not count.
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpuSeconds = async (): Promise<Map<string, number>> =>
    new Map((await devtools.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  for (const step of [0, ...STEPS]) {
    const before = await cpuSeconds();
    const figures = await scrollFor(page, seconds, step);
    const after = await cpuSeconds();
    const spent = (name: string): string =>
      `${((((after.get(name) ?? 0) - (before.get(name) ?? 0)) / seconds) * 100).toFixed(1)} %`;
    console.log(`${streams} streams, ${step} px a frame: ${words(figures)}`);
    console.log(
      `  of a core: ${spent('TaskDuration')}; script ${spent('ScriptDuration')}, layout ${spent('LayoutDuration')}, style ${spent('RecalcStyleDuration')}`,
    );
  }
} finally {
  await browser.close();
  crowd.kill('SIGKILL');
  await server.stop();
}

function words({ frames, longTasks, rowsMax, blank }: ScrollFigures): string {
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    `${(sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(0)} ms`;
  const total = frames.reduce((sum, ms) => sum + ms, 0);
  const long = longTasks.reduce((sum, ms) => sum + ms, 0);
  const worst = Math.max(0, ...longTasks).toFixed(0);
  return [
    `${frames.length} frames, median ${at(0.5)}, 95th ${at(0.95)}, 99th ${at(0.99)}, longest ${at(1)}`,
    `${longTasks.length} long tasks, ${((long / total) * 100).toFixed(1)} % of the time, longest ${worst} ms`,
    `${rowsMax} rows in the document, ${blank} blank frames`,
  ].join('; ');
}
