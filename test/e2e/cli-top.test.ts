import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PseudoTerminal } from '../support/cli.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { TestServer, until } from '../support/server.ts';

/** `headgate top` in a terminal, over a real server. */

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');
const ENTER_SCREEN = '\u001b[?1049h';
const LEAVE_SCREEN = '\u001b[?1049l';

let server: TestServer;
const publishers: Publisher[] = [];
let terminal: PseudoTerminal | null = null;

beforeAll(async () => {
  const file = clip({ kbps: 1000 });
  server = await TestServer.start();
  for (const name of ['cam1', 'cam2']) publishers.push(new Publisher(file, `${server.rtmp()}/${name}`));
  await server.stream('/live/cam1', ({ usage }) => usage.bitrate_bps > 500_000);
  await server.stream('/live/cam2');
});
afterEach(() => terminal?.stop());
afterAll(async () => {
  for (const publisher of publishers) await publisher.stop();
  await server.stop();
});

async function top(url: string, columns = 110, rows = 24, after = ''): Promise<PseudoTerminal> {
  const line = `'${process.execPath}' '${MAIN}' top --url ${url} ${after}`;
  terminal = await PseudoTerminal.start(line, columns, rows, { NO_COLOR: '' });
  return terminal;
}

test('shows the streams, follows them, and gives the terminal back', async () => {
  const screen = await top(server.url(''), 110, 24, '; stty -a; echo back');
  await screen.shows(/headgate ingest-1 .*ready[\s\S]*\/live\/cam1[\s\S]*\/live\/cam2/);
  expect(screen.raw).toContain(ENTER_SCREEN);
  expect(Math.max(...screen.lines().map((line) => line.length))).toBeLessThanOrEqual(110);
  await publishers[1]!.stop();
  await screen.shows(/1 stream\b/);
  expect(screen.lines().join('\n')).not.toContain('/live/cam2');
  screen.type('q');
  expect(await screen.exited).toBe(0);
  const left = screen.raw.slice(screen.raw.lastIndexOf(LEAVE_SCREEN));
  expect(left).toContain('back');
  expect(screen.raw).toContain('\u001b[?25h');
  expect(left).toMatch(/[^-]icanon/);
  expect(left).toMatch(/[^-]echo\b/);
});

test('keys filter, and a new size is used', async () => {
  const screen = await top(server.url(''));
  await screen.shows(/\/live\/cam1/);
  screen.type('/nothing-like-it\r');
  await screen.shows(/no stream matches nothing-like-it/);
  screen.type('\u001b');
  await screen.shows(/\/live\/cam1/);
  await screen.resize(60, 12);
  await until(
    () => Math.max(...screen.lines().map((line) => line.length)) <= 60 && screen.lines().length <= 12,
    'the narrow frame',
  );
  await screen.shows(/\/live\/cam1/);
  screen.type('\u0003');
  expect(await screen.exited).toBe(0);
});

test('says that the server has gone, and goes on when it is back', async () => {
  const first = await TestServer.start();
  const { admin } = first.ports;
  const screen = await top(first.url(''));
  await screen.shows(/ingest-1 .*ready/);
  await first.stop();
  await screen.shows(/NO ANSWER: trying again/);
  const second = await TestServer.start({
    config: 'node: { id: second }',
    env: { HEADGATE_LISTEN__ADMIN: `127.0.0.1:${admin}` },
  });
  await screen.shows(/headgate second .*ready/);
  screen.type('q');
  expect(await screen.exited).toBe(0);
  await second.stop();
});

test('a server that is not there leaves the screen alone and is told in one line', async () => {
  const screen = await top('http://127.0.0.1:9', 110, 24, '; echo "ended with $?"');
  await until(() => screen.raw.includes('ended with 1'), 'the end');
  expect(screen.raw).toContain('headgate: cannot ask http://127.0.0.1:9: ');
  expect(screen.raw).not.toContain(ENTER_SCREEN);
});

test('colours are used on a terminal, and not with NO_COLOR', async () => {
  const once = `'${process.execPath}' '${MAIN}' top --once --url ${server.url('')}`;
  terminal = await PseudoTerminal.start(`${once}; echo plain; NO_COLOR=1 ${once}`, 100, 24, { NO_COLOR: '' });
  await terminal.exited;
  const [coloured = '', plain = ''] = terminal.raw.split('plain\r\n');
  expect(coloured).toContain('\u001b[32mlive');
  expect(plain).toContain('live');
  expect(plain).not.toContain('\u001b[');
});
