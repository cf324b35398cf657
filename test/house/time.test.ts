import { describe, expect, test } from 'vitest';
import { codeLinesMatching, filesBelow } from './repository.ts';

/** Who may read a clock, and why. Everybody else is given `now`. */
const CLOCK_READERS: Record<string, string> = {
  'src/lib/clock.ts': 'the clock itself',
};

/** Who may draw random numbers. Everybody else is given a source. */
const RANDOM_SOURCES: Record<string, string> = {
  'src/cli/commands/token.ts': 'a token nobody can guess is what it is asked for',
  'src/ingest/identity.ts': 'the secret under which stream keys are compared, new with every start',
  'src/ingest/publish-desk.ts': 'stream ids, which must not repeat from one start of the server to the next',
};

/** Who may wait, and why the wait cannot be a loop's tick. Core waits for nothing. */
const WAITERS: Record<string, string> = {
  'src/app.ts': 'draining leaves publishers a moment to read why they are closed',
  'src/cli/pause.ts': 'a command that watches a server asks again after a while',
  'src/config/watch.ts': 'a file that is being saved is read when it has come to rest',
  'src/control/control-loop.ts': 'the tick of the control plane',
  'src/http/batches.ts': 'a long answer is made in turns, so that the loop is never blocked for long',
  'src/http/event-feed.ts': 'a heartbeat finds out which subscribers have gone',
  'src/http/snapshot-rounds.ts': 'a dashboard is told how things are at the interval it asked for',
  'src/http/server.ts': 'closing waits only so long for the last answers',
  'src/ingest/rtmp/connection.ts': 'a peer that never reads its last message is cut off',
  'src/ingest/rtmp/pacer.ts':
    'a throttled read goes on at the instant its debt is repaid, not at the next tick',
  'src/ingest/rtmp/server.ts':
    'a TLS handshake in progress is a socket no connection owns yet; draining waits for sockets',
  'src/ingest/srt/server.ts':
    'doors are told of changes at once and yet not too often; draining waits for connections',
  'src/sampler/event-loop.ts': 'what a timer is late by is what is measured',
  'src/sampler/sampler.ts':
    'sources are read in rounds, and one that does not answer is given up after a while',
  'src/telemetry/log-sink.ts': 'lines are written in batches',
};

const CLOCK =
  /\b(performance\.(now|timeOrigin)|Date\.now|new Date\(\)|process\.(hrtime|uptime))\b|new Date\(\)/;
const RANDOM = /\b(Math\.random|randomBytes|randomInt|randomUUID|randomFill|getRandomValues)\b/;
// A method of that name, like a socket's, is the socket's own idle time.
const TIMER = /(?<![.\w])(setTimeout|setInterval|setImmediate)\(|node:timers/;

const source = filesBelow('src', ['.ts']);

describe.each([
  ['clocks are read', CLOCK, CLOCK_READERS],
  ['random numbers are drawn', RANDOM, RANDOM_SOURCES],
  ['timers are set', TIMER, WAITERS],
])('%s', (_what, pattern, allowed) => {
  test('only where the list allows it', () => {
    const elsewhere = source.filter(({ name }) => !(name in allowed));
    expect(codeLinesMatching(elsewhere, pattern)).toEqual([]);
  });

  test('in every place that the list names', () => {
    const idle = Object.keys(allowed).filter(
      (name) =>
        codeLinesMatching(
          source.filter((file) => file.name === name),
          pattern,
        ).length === 0,
    );
    expect(idle).toEqual([]);
  });
});

test.each([
  ['const t = performance.now();', CLOCK],
  ['const t = Date.now();', CLOCK],
  ['const t = new Date();', CLOCK],
  ['const n = Math.random();', RANDOM],
  ['const id = randomUUID();', RANDOM],
  ['setTimeout(() => f(), 10);', TIMER],
  ["import { setTimeout as sleep } from 'node:timers/promises';", TIMER],
])('%s is noticed', (line, pattern) => {
  const file = { name: 'x.ts', text: line, lines: [line, ` * ${line}`, `// ${line}`] };
  expect(codeLinesMatching([file], pattern)).toEqual([`x.ts:1: ${line}`]);
});
