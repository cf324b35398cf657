import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type LoadResult, loadConfig, loadText } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { type Config, defaultConfig } from '../../../src/config/schema.ts';
import { listenTlsLines } from '../../support/tls-pair.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function problems(text: string, env: Record<string, string> = {}): string[] {
  const result = loadText(text, 'f.yaml', env);
  return result.ok ? [] : result.problems.map(formatProblem);
}

function config(text: string, env: Record<string, string> = {}): Config {
  const result = loadText(text, 'f.yaml', env);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

function warnings(text: string): string[] {
  const result = loadText(text, 'f.yaml', {});
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.warnings.map(formatProblem);
}

describe('what a file may look like', () => {
  it.each([
    ['an empty file', ''],
    ['only comments', '# nothing\n'],
    ['an empty document', '---\n'],
    ['an empty section', '{}'],
  ])('takes %s as the defaults', (_, text) => expect(config(text)).toEqual(defaultConfig()));

  it('takes sections and lists without a value as absent', () => {
    const text = 'limits:\n  stream:\nclients:\ntiers:\n  pro:\nallow:\nlogging:\n';
    expect(config(text)).toEqual({ ...defaultConfig(), tiers: { pro: { client: {}, stream: {} } } });
  });

  it('freezes what it gives', () => {
    const { limits, clients } = config('clients: [ { id: a, keys: [ secret-key-1 ] } ]');
    expect(() => Object.assign(limits.stream, { max_bitrate: 1 })).toThrow(TypeError);
    expect(() => Object.assign(clients[0]!.keys[0]!, { name: 'x' })).toThrow(TypeError);
  });

  it('reads anchors, aliases and merge keys', () => {
    const text = [
      'tiers:',
      '  basic: &basic { stream: &small { max_bitrate: 2Mbps, max_fps: 30fps } }',
      '  same: *basic',
      '  more:',
      '    stream: { <<: *small, max_fps: 50fps }',
    ].join('\n');
    const { tiers } = config(text);
    expect(tiers['same']).toEqual(tiers['basic']);
    expect(tiers['more']?.stream).toEqual({ max_bitrate: 2e6, max_fps: 50 });
  });

  it('reads a file with a byte order mark and Windows line ends, and still counts lines', () => {
    expect(problems('\uFEFFversion: 1\r\nlimits:\r\n  stream:\r\n    max_fps: 60\r\n')).toEqual([
      'f.yaml:4:14 limits.stream.max_fps: 60 has no unit; did you mean 60fps?',
    ]);
  });
});

describe('what is refused, and where it says so', () => {
  it.each<[string, string, string]>([
    [
      'a key set twice',
      'limits:\n  stream:\n    max_fps: 60fps\n    max_fps: 50fps',
      'f.yaml:4:5 limits.stream.max_fps: is set a second time here; keep one of the two',
    ],
    ['a tab', 'limits:\n\tstream: {}', 'f.yaml:2:1 config: a tab is used for indentation; YAML wants spaces'],
    [
      'a list at the top',
      '- a\n- b',
      'f.yaml:1:1 config: is not a section; its keys stand below it, indented',
    ],
    [
      'a plain value at the top',
      'hello',
      'f.yaml:1:1 config: is not a section; its keys stand below it, indented',
    ],
    [
      'a second document',
      'version: 1\n---\nversion: 1',
      'f.yaml:2:1 config: a second document starts here (---); a config is one document',
    ],
    [
      'a tag',
      'node: !secret x',
      'f.yaml:1:7 config: tags (!name) are not used in configs; put a text that starts with ! in quotes',
    ],
    ['an alias without anchor', 'node: *x', 'f.yaml:1:7 node: *x has no anchor &x before it'],
    ['an alias in itself', 'tiers: &t { a: *t }', 'f.yaml:1:16 tiers.a: *t stands inside its own anchor'],
    [
      'a bare IPv6 address',
      'listen:\n  rtmp: [::1]:1935',
      'f.yaml:2:14 config: an IPv6 address must stand in quotes: "[::1]:1935"',
    ],
    [
      'an empty value',
      'limits: { stream: { max_fps: } }',
      'f.yaml:1:30 limits.stream.max_fps: an empty value is not a frame rate; expected one such as 60fps or unlimited',
    ],
    [
      'a key that belongs elsewhere',
      'limits: { stream: { max_bandwidth: 1Mbps } }',
      'f.yaml:1:21 limits.stream.max_bandwidth: is not a known key of limits.stream; it belongs under limits.global or under limits.ip or under limits.client',
    ],
    [
      'a section at the wrong level',
      'stream: { max_fps: 60fps }',
      'f.yaml:1:1 stream: is not a known key of config; it belongs under limits or under tiers.<name> or under policies[].match',
    ],
    [
      'a swapped pair of letters',
      'lmiits: {}',
      'f.yaml:1:1 lmiits: is not a known key; did you mean limits?',
    ],
    [
      'a typo at the wrong level',
      'max_bitrat: 1Mbps',
      'f.yaml:1:1 max_bitrat: is not a known key; did you mean limits.stream.max_bitrate?',
    ],
    [
      'a key of nothing known',
      'limits: { ip: { colour: red } }',
      'f.yaml:1:17 limits.ip.colour: is not a known key; the keys of limits.ip are max_connections, connection_rate, max_bandwidth, ipv6_prefix',
    ],
    ['another version', 'version: 2', 'f.yaml:1:10 version: 2 is not known here; one of: 1'],
    [
      'yes for true',
      'policies: [ { name: a, override: yes } ]',
      'f.yaml:1:34 policies[0].override: yes is neither true nor false',
    ],
    [
      'a quoted count',
      'limits: { ip: { max_connections: "20" } }',
      'f.yaml:1:34 limits.ip.max_connections: "20" is text; write it without quotes',
    ],
    [
      'the other word',
      'limits: { stream: { grace: unlimited } }',
      'f.yaml:1:28 limits.stream.grace: unlimited is written never here',
    ],
    [
      'a rate of zero',
      'limits: { stream: { max_bitrate: 0bps } }',
      'f.yaml:1:34 limits.stream.max_bitrate: 0bps would let nothing through; for no limit write unlimited',
    ],
    [
      'a bound passed',
      'timeouts: { handshake: 2d }',
      'f.yaml:1:24 timeouts.handshake: 2d is too large; the most is 1h',
    ],
    [
      'a port alone',
      'listen: { rtmp: 1935 }',
      'f.yaml:1:17 listen.rtmp: 1935 is a port without an address; write 0.0.0.0:1935 to listen on every address or 127.0.0.1:1935 for this machine only',
    ],
    ['half of rtmps', 'listen: { rtmps: 0.0.0.0:1936 }', 'f.yaml:1:18 listen.rtmps: is missing'],
    [
      'a client without id',
      'clients:\n  - keys: [ long-enough-key ]',
      'f.yaml:2:5 clients[0].id: is missing',
    ],
    [
      'a network that is none',
      'deny: [ 10.0.0.0/33 ]',
      'f.yaml:1:9 deny[0]: "10.0.0.0/33" needs a prefix length of 0 to 32 after the "/"',
    ],
    [
      'a list that is none',
      'deny: 10.0.0.1',
      'f.yaml:1:7 deny: is not a list; write [ ... ] or one line with "- " per entry',
    ],
    [
      'a word with a typo',
      'auth: { mode: kyes }',
      'f.yaml:1:15 auth.mode: kyes is not known here; did you mean keys?',
    ],
    [
      'a glob with a slash',
      'policies: [ { name: a, match: { stream: live/* } } ]',
      'f.yaml:1:41 policies[0].match.stream: "live/*" must be a name of letters, digits or . _ ~ -, in which * stands for any characters and ? for one',
    ],
  ])('%s', (_, text, expected) => {
    expect(problems(text)).toContain(expected);
  });

  it('tells every error at once, in the order of the file', () => {
    const text = [
      'deny: [ nowhere ]',
      'limits:',
      '  stream: { max_bitrate: 100, on_exceed: thottle }',
      'clients:',
      '  - { id: a, tier: gold }',
      '  - { id: a }',
      'limts: {}',
    ].join('\n');
    const told = problems(text);
    expect(told.map((line) => line.split(' ')[0])).toEqual([
      'f.yaml:1:9',
      'f.yaml:3:26',
      'f.yaml:3:42',
      'f.yaml:5:20',
      'f.yaml:6:11',
      'f.yaml:7:1',
    ]);
  });

  it('bounds what aliases expand to', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `  l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`);
    const [told] = problems(`tiers:\n  l0: &l0 [1]\n${levels.join('\n')}`);
    expect(told).toBe('f.yaml:1:1 config: holds more than 1000000 values once its aliases are expanded');
  });

  it('bounds the depth', () => {
    expect(problems(`tiers: ${'['.repeat(500)}${']'.repeat(500)}`)).toEqual([
      'f.yaml:1:1 config: is nested more than 64 levels deep',
    ]);
  });

  it('refuses a key named __proto__ and leaves prototypes alone', () => {
    expect(problems('tiers: { __proto__: { stream: {} } }')).toEqual([
      'f.yaml:1:10 tiers: has a key __proto__, which is not possible',
    ]);
  });

  it('prints no control character of a value', () => {
    const [told] = problems('node: { id: "a\\e[2J\\nb" }');
    expect(told).toContain('\\u001b[2J\\u000ab');
  });

  it('never quotes a secret, however wrong it is', () => {
    const text = [
      'auth: { mode: keys }',
      'admin: { tokens: [ { token: "tok en-SECRET" }, SECRET, { token: 123456 } ] }',
      'clients:',
      '  - { id: a, keys: SECRET-1 }',
      '  - { id: b, keys: [ "SECRET/2", SECRET-3, SECRET-3, { key: SECRET-4, nam: x }, [ SECRET-5 ] ] }',
    ].join('\n');
    const told = problems(text);
    expect(told.length).toBeGreaterThanOrEqual(7);
    expect(told.join('\n')).not.toContain('SECRET');
    expect(told.join('\n')).not.toContain('123456');
  });
});

describe('names that depend on one another', () => {
  it.each<[string, string, string]>([
    [
      'an id twice',
      'clients: [ { id: a }, { id: a } ]',
      'clients[1].id: "a" is the id of clients[0] already; each needs its own',
    ],
    [
      'a key of two clients',
      'clients: [ { id: a, keys: [ k ] }, { id: b, keys: [ { key: k, name: n } ] } ]',
      'clients[1].keys[0].key: this is the stream key of clients[0].keys[0] already; each needs its own',
    ],
    [
      'a public name twice',
      'clients: [ { id: a, keys: [ k ] }, { id: b, keys: [ { key: l, name: a-1 } ] } ]',
      'clients[1].keys[0].name: "a-1" is the public name of clients[0].keys[0] already; each needs its own',
    ],
    [
      'a tier that is not there',
      'tiers: { pro: {} }\nclients: [ { id: a, tier: por } ]',
      'clients[0].tier: there is no tier "por"; did you mean pro?',
    ],
    [
      'a policy for no tier',
      'policies: [ { name: p, match: { tier: gold } } ]',
      'policies[0].match.tier: there is no tier "gold"; add it under tiers',
    ],
    [
      'a policy for no client',
      'policies: [ { name: p, match: { client: bob } } ]',
      'policies[0].match.client: there is no client "bob"; add it under clients',
    ],
    [
      'a policy name twice',
      'policies: [ { name: p }, { name: p } ]',
      'policies[1].name: "p" is the name of policies[0] already; each needs its own',
    ],
    [
      'a tier with a bad name',
      'tiers: { "a b": {} }',
      'tiers.a b: the name must be 1 to 128 letters, digits, _ or -',
    ],
    [
      'a token twice',
      'admin: { tokens: [ { token: t }, { token: t } ] }',
      'admin.tokens[1].token: this is the token of admin.tokens[0] already; each needs its own',
    ],
    [
      'a port twice',
      'listen: { rtmp: "127.0.0.1:8000" }',
      'listen.playback: port 8000 is taken by listen.rtmp already; choose another port',
    ],
    [
      'an open admin API',
      'listen: { admin: 0.0.0.0:8080 }',
      'listen.admin: the admin API would be open to everybody at 0.0.0.0; add admin.tokens, or listen on 127.0.0.1:8080',
    ],
  ])('%s', (_, text, expected) => {
    expect(problems(text).map((line) => line.replace(/^\S+ /, ''))).toContain(expected);
  });

  it('finds them beside other errors', () => {
    expect(
      problems('clients: [ { id: a, tier: gold } ]\nlimits: { ip: { max_connections: lots } }'),
    ).toHaveLength(2);
  });

  it('lets the same port stand twice on different addresses, and port 0 anywhere', () => {
    expect(problems('listen: { rtmp: "127.0.0.1:8000", playback: "127.0.0.2:8000" }')).toEqual([]);
    expect(
      problems('listen: { rtmp: "127.0.0.1:0", playback: "127.0.0.1:0", admin: "127.0.0.1:0" }'),
    ).toEqual([]);
  });

  it('gives keys the name of their client and position', () => {
    const { clients } = config(
      'clients: [ { id: alice, keys: [ k-alice-1, { key: k-alice-2, name: stage }, k-alice-3 ] } ]',
    );
    expect(clients[0]?.keys.map(({ name }) => name)).toEqual(['alice-1', 'stage', 'alice-3']);
  });
});

describe('warnings', () => {
  it.each<[string, string, string]>([
    [
      'keys mode without keys',
      'auth: { mode: keys }',
      'auth.mode: is keys, but no client has a key: nobody can publish',
    ],
    [
      'keys that are not asked for',
      'clients: [ { id: a, keys: [ long-enough ] } ]',
      'auth.mode: is open, so the keys of clients are not asked for; set it to keys',
    ],
    [
      'no ingest',
      'listen: { rtmp: null, srt: null }',
      'listen: has neither rtmp nor rtmps nor srt: nobody can publish',
    ],
    [
      'a limit never reached',
      'limits: { stream: { max_bitrate: 30Mbps } }',
      'limits.stream.max_bitrate: is never reached: limits.client.max_bandwidth is lower',
    ],
    [
      'a count of zero',
      'limits: { global: { max_streams: 0 } }',
      'limits.global.max_streams: is 0 and lets nobody in; for no limit write unlimited',
    ],
    [
      'disconnect that never does',
      'limits: { stream: { on_exceed: disconnect, grace: never } }',
      'limits.stream.grace: is never, so on_exceed: disconnect never disconnects',
    ],
    ['deny everybody', 'deny: [ 0.0.0.0/0 ]', 'deny[0]: 0.0.0.0/0 refuses everybody'],
    [
      'a policy without effect',
      'policies: [ { name: p, match: { app: live } } ]',
      'policies[0]: changes nothing: it has no keys under stream',
    ],
    [
      'a policy for what is off',
      'listen: { srt: null }\npolicies: [ { name: p, match: { protocol: srt }, stream: { max_fps: 5fps } } ]',
      'policies[0].match.protocol: names only srt, which is off under listen: the policy never matches',
    ],
    [
      'a passphrase that is never asked for',
      'policies: [ { name: p, match: { protocol: rtmp }, passphrase: long-enough-1 } ]',
      'policies[0].passphrase: is never asked for: only an enforced policy that matches srt has one',
    ],
  ])('%s', (_, text, expected) => {
    expect(warnings(text).map((line) => line.replace(/^\S+ /, ''))).toContain(expected);
  });

  it('has none for the defaults', () => {
    expect(warnings('')).toEqual([]);
  });
});

describe('files', () => {
  function told(result: LoadResult): string[] {
    return result.ok ? [] : [result.code, ...result.problems.map(formatProblem)];
  }

  it('says that a file is not there', () => {
    const file = join(folder, 'none.yaml');
    expect(told(loadConfig(file, {}))).toEqual([
      'HG_CONFIG_READ',
      `${file}: there is no such file; give another with -c FILE`,
    ]);
  });

  it('says that a file is a folder, too large, or not text', () => {
    expect(told(loadConfig(folder, {}))[1]).toBe(`${folder}: is a folder; name the file in it`);
    const large = join(folder, 'large.yaml');
    writeFileSync(large, Buffer.alloc(16 * 2 ** 20 + 1, 0x23));
    expect(told(loadConfig(large, {}))[1]).toContain('a config has at most 16777216');
    const binary = join(folder, 'binary.yaml');
    writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00, 0xc3]));
    expect(told(loadConfig(binary, {}))[1]).toBe(`${binary}: is not UTF-8 text; save it as UTF-8`);
  });

  it('finds certificates beside the config, and says which is not there', () => {
    const file = join(folder, 'tls.yaml');
    writeFileSync(file, 'listen: { rtmps: { address: "0.0.0.0:1936", cert: cert.pem, key: key.pem } }');
    writeFileSync(join(folder, 'cert.pem'), '');
    expect(told(loadConfig(file, {}))).toEqual([
      'HG_CONFIG_INVALID',
      `${file}:1:66 listen.rtmps.key: ${folder}/key.pem cannot be read; relative paths start at the folder of the config file`,
    ]);
    writeFileSync(join(folder, 'key.pem'), '');
    expect(told(loadConfig(file, {}))).toEqual([
      'HG_CONFIG_INVALID',
      expect.stringMatching(/tls\.yaml:1:\d+ listen\.rtmps: cert holds no certificate in PEM form/),
    ]);
    const pair = listenTlsLines();
    for (const name of ['cert.pem', 'key.pem']) copyFileSync(join(pair.folder, name), join(folder, name));
    rmSync(pair.folder, { recursive: true });
    const loaded = loadConfig(file, {});
    expect(loaded.ok && loaded.config.listen.rtmps).toEqual({
      host: '0.0.0.0',
      port: 1936,
      cert: join(folder, 'cert.pem'),
      key: join(folder, 'key.pem'),
    });
  });
});

describe('size', () => {
  function sized(clients: number): string {
    const client = (i: number): string =>
      `  - { id: c${i}, tier: pro, keys: [ key-of-${i}-a, { key: key-of-${i}-b, name: n${i} } ], limits: { max_streams: ${1 + (i % 9)} } }`;
    const policy = (i: number): string =>
      `  - { name: p${i}, match: { stream: "s${i}-*", client: c${i} }, stream: { max_bitrate: ${i + 1}kbps } }`;
    const lines = (count: number, line: (i: number) => string): string =>
      Array.from({ length: count }, (_, i) => line(i)).join('\n');
    return `auth: { mode: keys }\ntiers: { pro: {} }\nclients:\n${lines(clients, client)}\npolicies:\n${lines(clients / 10, policy)}\n`;
  }

  /** The best of three: what else the machine does only ever adds. */
  function loadMs(clients: number): number {
    const text = sized(clients);
    const runs = [0, 1, 2].map(() => {
      const before = performance.now();
      expect(config(text).clients).toHaveLength(clients);
      return performance.now() - before;
    });
    return Math.min(...runs);
  }

  it('grows no faster than the file: ten times the clients take about ten times as long', () => {
    // Anything quadratic would be at a hundred.
    expect(loadMs(3000) / loadMs(300)).toBeLessThan(40);
  });
});
