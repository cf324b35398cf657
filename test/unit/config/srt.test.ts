import { describe, expect, it } from 'vitest';
import { diffConfig, formatChange, withoutRestart } from '../../../src/config/diff.ts';
import { loadText } from '../../../src/config/load.ts';
import { effectiveValues, maskedConfig } from '../../../src/config/mask.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import type { Config } from '../../../src/config/schema.ts';

function load(text: string, env: Record<string, string> = {}) {
  return loadText(text, 'f.yaml', env);
}

function config(text: string, env: Record<string, string> = {}): Config {
  const result = load(text, env);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

function problems(text: string, env: Record<string, string> = {}): string[] {
  const result = load(text, env);
  return result.ok ? [] : result.problems.map(formatProblem);
}

const PLAIN = { latency: 120, passphrase: null };

describe('listen.srt', () => {
  it.each<[string, string, Config['listen']['srt']]>([
    ['an address', 'srt: 127.0.0.1:9000', [{ host: '127.0.0.1', port: 9000, ...PLAIN }]],
    [
      'a section',
      'srt: { address: "[::]:9000", latency: 200ms, passphrase: a-passphrase }',
      [{ host: '::', port: 9000, latency: 200, passphrase: 'a-passphrase' }],
    ],
    [
      'a section that leaves the address as it is',
      'srt: { latency: 1s }',
      [{ host: '0.0.0.0', port: 8890, latency: 1000, passphrase: null }],
    ],
    [
      'a list of both',
      'srt: [ 127.0.0.1:9000, { address: 127.0.0.2:9000 } ]',
      [
        { host: '127.0.0.1', port: 9000, ...PLAIN },
        { host: '127.0.0.2', port: 9000, ...PLAIN },
      ],
    ],
    ['off', 'srt: null', null],
  ])('takes %s', (_, text, expected) => expect(config(`listen: { ${text} }`).listen.srt).toEqual(expected));

  it.each([
    ['127.0.0.1:9000', '127.0.0.1', 9000],
    ['[::1]:9000', '::1', 9000],
  ])('takes %s from the environment', (text, host, port) => {
    expect(config('', { HEADGATE_LISTEN__SRT: text }).listen.srt).toEqual([{ host, port, ...PLAIN }]);
  });

  it('takes a passphrase from the environment, for the only listener or one of several', () => {
    const env = { HEADGATE_LISTEN__SRT__PASSPHRASE: 'from-the-environment' };
    expect(config('listen: { srt: 127.0.0.1:9000 }', env).listen.srt).toEqual([
      { host: '127.0.0.1', port: 9000, latency: 120, passphrase: 'from-the-environment' },
    ]);
    const second = { HEADGATE_LISTEN__SRT__1__PASSPHRASE: 'from-the-environment' };
    const { srt } = config('listen: { srt: [ 127.0.0.1:9000, 127.0.0.1:9001 ] }', second).listen;
    expect(srt?.map(({ passphrase }) => passphrase)).toEqual([null, 'from-the-environment']);
  });

  it.each([
    ['srt: 8890', 'f.yaml:1:16 listen.srt: 8890 is a port without an address'],
    ['srt: { latency: 5ms }', 'f.yaml:1:27 listen.srt.latency: 5ms is too small; the least is 20ms'],
    ['srt: { passphrase: short }', 'f.yaml:1:30 listen.srt.passphrase: the value must be 10 to 79 printable'],
    [
      'srt: { adress: 127.0.0.1:1 }',
      'f.yaml:1:18 listen.srt.adress: is not a known key; did you mean address?',
    ],
    [
      'srt: [ 0.0.0.0:9000, 127.0.0.1:9000 ]',
      'f.yaml:1:32 listen.srt[1]: UDP port 9000 is taken by listen.srt[0] already; choose another port',
    ],
  ])('tells what is wrong with %s, and where', (text, expected) => {
    expect(problems(`listen: { ${text} }`)).toEqual([expect.stringContaining(expected)]);
  });

  it('may use the number of a TCP port: it is UDP', () => {
    expect(problems('listen: { rtmp: 127.0.0.1:9000, srt: 127.0.0.1:9000 }')).toEqual([]);
  });
});

describe('passphrases', () => {
  const text = [
    'listen: { srt: { passphrase: SECRET-listener } }',
    'clients: [ { id: alice, passphrase: SECRET-client, keys: [ k-alice-key ] } ]',
    'policies: [ { name: p, passphrase: SECRET-policy } ]',
  ].join('\n');

  it('are never shown', () => {
    const loaded = load(text);
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    const shown = JSON.stringify(maskedConfig(loaded.config));
    expect(shown).not.toContain('SECRET');
    expect(shown).toContain('"srt":{"address":"0.0.0.0:8890","latency":"120ms","passphrase":"***"}');
    expect(JSON.stringify(effectiveValues(loaded.config, loaded.source))).not.toContain('SECRET');
  });

  it('change without a restart, whatever else of a listener needs one', () => {
    const running = config('listen: { srt: { passphrase: first-passphrase } }');
    const next = config('listen: { srt: { passphrase: second-passphrase } }');
    expect(diffConfig(running, next).changes.map(formatChange)).toEqual(['listen.srt: changed']);
    expect(withoutRestart(running, next)).toEqual(next);
    const moved = config('listen: { srt: [ { passphrase: second-passphrase, latency: 1s }, 127.0.0.1:9 ] }');
    expect(diffConfig(running, moved).changes.map(({ restart }) => restart)).toEqual([true]);
    expect(withoutRestart(running, moved)).toEqual(next);
  });
});
