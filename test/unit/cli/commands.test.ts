import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningApi, startApi, streamSnapshot } from '../../contract/http-fixture.ts';
import { CapturedTerminal, headgate } from './capture.ts';

/** Every command against the real API over a server that is held in plain objects. */
let api: RunningApi;

beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.server.close());

/** Runs a command on that server. */
function ask(line: string, terminal = new CapturedTerminal()) {
  return headgate([...line.split(' '), '--url', api.url], terminal);
}

describe('streams', () => {
  test('lists them with what is needed to name one', async () => {
    const { code, stdout, stderr } = await ask('streams');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = stdout.trimEnd().split('\n');
    expect(rows).toHaveLength(3);
    expect(rows[1]).toMatch(/^s-1 .*\/live\/cam1 .*live .*2\.61 Mbps .*6Mbps .*44%/);
  });

  test('on a terminal it fits, and sums up', async () => {
    const terminal = new CapturedTerminal({ isTty: true, columns: 60 });
    const { stdout } = await ask('streams', terminal);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(stdout).toContain('2 streams, 5.22 Mbps, 3 connections');
    expect(stdout).not.toContain('\u001b');
  });

  test('colours are used where they may be', async () => {
    const { stdout } = await ask(
      'streams',
      new CapturedTerminal({ isTty: true, columns: 100, colour: true }),
    );
    expect(stdout).toContain('\u001b[33mthrottled\u001b[0m');
  });

  test('--json is the answer of the API', async () => {
    const { stdout } = await ask('streams --json');
    expect(JSON.parse(stdout)).toEqual(await (await fetch(`${api.url}/api/v1/streams`)).json());
    expect(stdout.trimEnd()).not.toContain('\n');
  });

  test('--json on a terminal is indented and cannot drive it', async () => {
    api.fake.all = [streamSnapshot(1, { client: '\u009b2J\u202e' })];
    const { stdout } = await ask('streams --json', new CapturedTerminal({ isTty: true }));
    expect(stdout).toContain('\n  "streams": [');
    expect(stdout).toContain('"\\u009b2J\\u202e"');
    expect(JSON.parse(stdout).streams[0].client).toBe('\u009b2J\u202e');
  });

  test('none at all is said on stderr, and is no failure', async () => {
    api.fake.all = [];
    expect(await ask('streams')).toEqual({ code: 0, stdout: '', stderr: 'headgate: no live streams\n' });
  });

  test('more than one page is one list', async () => {
    api.fake.all = Array.from({ length: 10_001 }, (_, number) => streamSnapshot(number));
    const { stdout } = await ask('streams --json');
    const { streams, next_cursor: cursor } = JSON.parse(stdout);
    expect(new Set(streams.map(({ id }: { id: string }) => id)).size).toBe(10_001);
    expect(cursor).toBeNull();
  });
});

describe('one stream is meant', () => {
  test.each([
    's-2',
    '/live/cam2',
    'live/cam2',
    'cam2',
    'rtmp://gate:1935/live/cam2?key=x',
    'http://gate:8000/live/cam2.flv',
    'http://gate:8000/live/cam2.ts',
  ])('by %s', async (meant) => {
    const { code, stdout } = await ask(`stream ${meant} --json`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id: 's-2' });
  });

  test('by a name that looks like an id', async () => {
    api.fake.all = [streamSnapshot(1, { name: 's-abc', path: '/live/s-abc' })];
    expect(JSON.parse((await ask('stream s-abc --json')).stdout)).toMatchObject({ id: 's-1' });
  });

  test('a name that several have is refused with their paths', async () => {
    api.fake.all.push(streamSnapshot(3, { name: 'cam1', path: '/event/cam1' }));
    const { code, stderr } = await ask('kick cam1');
    expect(code).toBe(2);
    expect(stderr).toBe(
      'headgate: cam1 is the name of 2 streams: /live/cam1 (s-1), /event/cam1 (s-3); give a path or an id\n',
    );
    expect(api.fake.kicks).toEqual([]);
  });

  test.each(['stream cma1', 'kick cma1', 'limit cma1 max_fps=1fps'])(
    '%s: nobody has that name, but nearly',
    async (line) => {
      const { code, stdout, stderr } = await ask(line);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toBe('headgate: no live stream cma1: did you mean /live/cam1 (s-1)?\n');
    },
  );

  test('of one that is gone there is a receipt', async () => {
    const decision = {
      reason: 'kicked',
      scope: 'server',
      key: '/live/gone',
      limit: null,
      observed: null,
    } as const;
    const subject = {
      ip: '192.0.2.10',
      protocol: 'rtmp',
      path: '/live/gone',
      client: 'alice',
      stream: 's-9',
    };
    api.fake.trail.record(
      { ...decision, ...subject, action: 'cut', windowMs: null, retryAfterMs: 0, detail: 'x' },
      0,
    );
    expect((await ask('kick gone')).stderr).toBe(
      'headgate: no live stream gone: `headgate streams` lists what is live; `headgate why gone` tells what became of it\n',
    );
  });

  test('nobody at all', async () => {
    api.fake.all = [];
    expect((await ask('stream /live/x')).stderr).toContain('no live stream /live/x: nothing is live\n');
  });
});

test('stream shows its sections', async () => {
  const { code, stdout } = await ask('stream cam1');
  expect(code).toBe(0);
  for (const part of ['Publisher', 'Usage', 'Limits', 'Client', 'Media', 'Last decisions'])
    expect(stdout).toContain(`\n${part}\n`);
  expect(stdout).toMatch(/max_bitrate +6Mbps +limits\.stream/);
});

describe('kick', () => {
  test('disconnects, and says for how long', async () => {
    const { code, stdout } = await headgate([
      'kick',
      'cam1',
      '--cooldown',
      '90s',
      '--reason',
      'too loud',
      '--url',
      api.url,
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      'kicked /live/cam1 (s-1) of alice from 192.0.2.10: its stream key and address are refused for 90s',
    );
    expect(api.fake.kicks).toMatchObject([{ id: 's-1', order: { cooldownMs: 90_000, reason: 'too loud' } }]);
  });

  test('without a cooldown it may return', async () => {
    expect((await ask('kick cam1 --cooldown 0s')).stdout).toContain('it may publish again at once');
  });

  test('a time without a unit is bad usage, in the words of the API', async () => {
    expect(await ask('kick cam1 --cooldown 30')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'headgate: cooldown: 30 has no unit; did you mean 30ms, 30s, 30m, 30h?\n',
    });
  });

  test('--json is the outcome', async () => {
    expect(JSON.parse((await ask('kick cam1 --json')).stdout)).toMatchObject({
      receipt: 'r-1',
      cooldown_ms: 30_000,
    });
  });
});

describe('limit', () => {
  test('overrides in the units of the config, for a time', async () => {
    const line =
      'limit cam1 max_bitrate=4Mbps max_fps=unlimited max_packets_per_sec=100/s on_exceed=drop grace=never --for 10m';
    const { code, stdout } = await ask(line);
    expect(code).toBe(0);
    expect(stdout).toContain('/live/cam1  s-1');
    expect(api.fake.overrides).toMatchObject([
      {
        id: 's-1',
        change: {
          max_bitrate: 4e6,
          max_fps: Number.POSITIVE_INFINITY,
          max_packets_per_sec: 100,
          on_exceed: 'drop',
          grace: Number.POSITIVE_INFINITY,
        },
        forMs: 600_000,
      },
    ]);
  });

  test('config takes one back, --clear all', async () => {
    await ask('limit cam1 max_fps=config');
    await ask('limit cam1 --clear');
    expect(api.fake.overrides.map(({ change }) => change)).toEqual([
      { max_fps: null },
      { max_bitrate: null, max_fps: null, max_packets_per_sec: null, on_exceed: null, grace: null },
    ]);
  });

  test('--clear where nothing was overridden says so in one line', async () => {
    const { stdout } = await ask('limit cam1 --clear');
    expect(stdout.trimEnd().split('\n').slice(1)).toEqual(['  nothing was overridden']);
  });

  test.each([
    ['max_bitrate=4', 'max_bitrate: 4 has no unit; did you mean 4bps, 4kbps, 4Mbps, 4MB/s?'],
    ['on_exceed=explode', 'on_exceed: '],
    ['max_fps=1fps --for 90d', 'for: 90d is more than 30 days'],
  ])('%s is bad usage, in the words of the API', async (change, says) => {
    const { code, stderr } = await ask(`limit cam1 ${change}`);
    expect(code).toBe(2);
    expect(stderr).toContain(`headgate: ${says}`);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

describe('why', () => {
  function refuse(detail: string, path: string | null = '/live/cam1', ip = '192.0.2.10'): string {
    const decision = {
      reason: 'client_streams',
      scope: 'client',
      key: 'alice',
      limit: 3,
      observed: 3,
      windowMs: null,
      retryAfterMs: 1_000,
    } as const;
    return api.fake.trail.record(
      { ...decision, action: 'refuse', ip, protocol: 'rtmp', path, client: 'alice', stream: null, detail },
      0,
    ).id;
  }

  test('tells the newest first, as many as are asked for', async () => {
    for (const detail of ['first', 'second', 'third']) refuse(detail);
    const { code, stdout } = await ask('why cam1 -n 2');
    expect(code).toBe(0);
    expect(stdout.match(/Told then: (\w+)/g)).toEqual(['Told then: third', 'Told then: second']);
    expect(stdout).toContain('was refused because this client had 3 streams live and may have 3.');
  });

  test.each(['alice', '/live/cam1', 'live/cam1', 'cam1', '192.0.2.10', 'rtmp://gate/live/cam1'])(
    'finds by %s',
    async (key) => {
      refuse('found');
      expect((await ask(`why ${key}`)).stdout).toContain('Told then: found.');
    },
  );

  test('finds by the line that an encoder was told', async () => {
    const id = refuse('found');
    refuse('another');
    const { stdout } = await headgate([
      'why',
      `headgate: client_streams limit=3 retry_after=1s receipt=${id}`,
      '--json',
      '--url',
      api.url,
    ]);
    expect(JSON.parse(stdout).receipts).toMatchObject([{ id }]);
  });

  test('finds an IPv6 network, which looks like a path', async () => {
    refuse('found', null, '2001:db8::/64');
    expect((await ask('why 2001:db8::/64')).stdout).toContain('Told then: found.');
  });

  test('nothing found is a failure that says where it looked', async () => {
    const { code, stdout, stderr } = await ask('why nobody');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^headgate: nothing found about nobody .*receipt, stream id, path, stream name, client and address.*\n$/,
    );
  });

  test('who was refused before he said a name is found by his address, and a closed gate is told', async () => {
    expect((await ask('why nobody')).stderr).toMatch(
      /refused before its name was known\? try its address\n$/,
    );
    expect((await ask('why 192.0.2.77')).stderr).not.toContain('try its address');
    const calm = api.fake.server.resources();
    const gate = { ...calm.gate, state: 'closed', open: false, reasons: ['resource_cpu'] } as const;
    api.fake.server.resources = () => ({ ...calm, gate: { ...gate, reasons: [...gate.reasons] } });
    expect((await ask('why nobody')).stderr).toMatch(
      /try its address: the gate is closed since 20\d\d-\S+ \S+Z for resource_cpu\n$/,
    );
  });

  test('nothing found about a live stream says that it lives', async () => {
    expect((await ask('why cam1')).stderr).toContain(
      '/live/cam1 (s-1) is live and nothing was decided against it',
    );
  });

  test('--reason narrows it', async () => {
    refuse('found');
    expect((await ask('why cam1 --reason stream_bitrate')).code).toBe(1);
    expect((await ask('why cam1 --reason client_streams')).code).toBe(0);
  });
});

describe('events', () => {
  beforeEach(() => {
    for (const path of ['/live/one', '/live/two', '/live/three']) {
      const decision = { reason: 'kicked', scope: 'server', key: path, limit: null, observed: null } as const;
      const subject = {
        ip: '192.0.2.10',
        protocol: 'rtmp',
        path,
        client: 'alice',
        stream: 's-1',
        detail: 'x',
      };
      api.fake.trail.record({ ...decision, ...subject, action: 'cut', windowMs: null, retryAfterMs: 0 }, 0);
    }
  });

  test('shows the last ones, oldest first', async () => {
    const { code, stdout } = await ask('events -n 2');
    expect(code).toBe(0);
    expect(stdout.replaceAll(/r-\w+/g, 'ID')).toBe(
      [
        '2026-11-20 21:40:00Z  cut       kicked               /live/two  alice@192.0.2.10  ID',
        '2026-11-20 21:40:00Z  cut       kicked               /live/three  alice@192.0.2.10  ID',
        '',
      ].join('\n'),
    );
  });

  test('--json is one event a line, as the API has it', async () => {
    const { events } = (await (await fetch(`${api.url}/api/v1/audit`)).json()) as { events: unknown[] };
    const { stdout } = await ask('events --json');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(events.reverse());
  });
});

describe('top', () => {
  test('--once is one frame in 100 columns', async () => {
    const { code, stdout } = await ask('top --once');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout).toContain('/live/cam2');
  });

  test('is one frame where nobody looks', async () => {
    expect(await ask('top')).toEqual(await ask('top --once'));
  });

  test('--once --json is the answer of the API', async () => {
    expect(JSON.parse((await ask('top --once --json')).stdout)).toEqual(
      await (await fetch(`${api.url}/api/v1/streams`)).json(),
    );
  });

  test('a server that drains is asked all the same', async () => {
    api.fake.ready = { ready: false, reasons: ['draining'], retry_after_ms: null, config_error: null };
    expect((await ask('top --once')).stdout).toContain('NOT READY: draining');
  });
});

describe('tokens', () => {
  beforeEach(async () => {
    await api.server.close();
    const tokens = [
      { token: 'look-token', role: 'viewer' },
      { token: 'rule-token', role: 'operator' },
    ] as const;
    api = await startApi({ tokens });
  });

  test.each([
    ['streams', 'wants a token: set HEADGATE_TOKEN or give --token'],
    ['streams --token wrong-token', 'does not know this token: check --token or HEADGATE_TOKEN'],
    [
      'kick cam1 --token look-token',
      'does not allow this: a viewer token may only read; this needs an operator token',
    ],
    ['top --once', 'wants a token'],
    ['events --follow', 'wants a token'],
  ])('%s fails with one line', async (line, says) => {
    const { code, stdout, stderr } = await ask(line);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says);
    expect(stderr).toMatch(/^headgate: .*\n$/);
    expect(stderr).not.toMatch(/(wrong|look)-token/);
  });

  test('one from the environment is used', async () => {
    const terminal = new CapturedTerminal({ env: { HEADGATE_TOKEN: 'rule-token', HEADGATE_URL: api.url } });
    expect((await headgate(['kick', 'cam1'], terminal)).code).toBe(0);
  });
});
