import { describe, expect, it } from 'vitest';
import { loadText } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import type { Config } from '../../../src/config/schema.ts';

function config(env: Record<string, string>, text = ''): Config {
  const result = loadText(text, 'f.yaml', env);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

function problems(env: Record<string, string>, text = ''): string[] {
  const result = loadText(text, 'f.yaml', env);
  return result.ok ? [] : result.problems.map(formatProblem);
}

describe('environment overrides', () => {
  it('win over the file, key by key', () => {
    const { limits } = config(
      { HEADGATE_LIMITS__STREAM__MAX_BITRATE: '4Mbps' },
      'limits: { stream: { max_bitrate: 8Mbps, max_fps: 30fps } }',
    );
    expect(limits.stream).toMatchObject({ max_bitrate: 4e6, max_fps: 30 });
  });

  it('do not care for case behind the prefix', () => {
    expect(config({ HEADGATE_limits__Stream__MAX_fps: '25fps' }).limits.stream.max_fps).toBe(25);
  });

  it('read numbers, words and null as the key wants them', () => {
    const { limits, listen, logging, node } = config({
      HEADGATE_LIMITS__IP__MAX_CONNECTIONS: '7',
      HEADGATE_LISTEN__PLAYBACK: 'null',
      HEADGATE_LISTEN__RTMP: '[::1]:1935',
      HEADGATE_LOGGING__PRETTY: 'false',
      HEADGATE_NODE__ID: '007',
    });
    expect(limits.ip.max_connections).toBe(7);
    expect(listen).toMatchObject({ playback: null, rtmp: { host: '::1', port: 1935 } });
    expect(logging.pretty).toBe(false);
    expect(node.id).toBe('007');
  });

  it('take lists and sections whole, as YAML, or entry by entry', () => {
    const { clients, deny, tiers } = config(
      {
        HEADGATE_DENY: '[203.0.113.7, "2001:db8::/32"]',
        HEADGATE_CLIENTS: '[{ id: a, keys: [ first-key ] }]',
        HEADGATE_CLIENTS__0__KEYS__1: 'second-key',
        HEADGATE_CLIENTS__1__ID: 'b',
        HEADGATE_CLIENTS__1__TIER: 'Pro',
        HEADGATE_TIERS__PRO__STREAM__MAX_FPS: '50fps',
      },
      'tiers: { Pro: { stream: { max_bitrate: 1Mbps } } }',
    );
    expect(deny).toEqual(['203.0.113.7/32', '2001:db8::/32']);
    expect(clients.map(({ id, keys }) => [id, keys.map(({ key }) => key)])).toEqual([
      ['a', ['first-key', 'second-key']],
      ['b', []],
    ]);
    expect(tiers).toEqual({ Pro: { client: {}, stream: { max_bitrate: 1e6, max_fps: 50 } } });
  });

  it('reach into a listener written as a plain address', () => {
    expect(config({ HEADGATE_LISTEN__RTMP__ADDRESS: '0.0.0.0:19350' }).listen.rtmp?.port).toBe(19350);
  });

  it('leave an anchor that others share alone', () => {
    const { tiers } = config(
      { HEADGATE_TIERS__A__STREAM__MAX_FPS: '5fps' },
      'tiers: { a: { stream: &s { max_fps: 30fps } }, b: { stream: *s } }',
    );
    expect(tiers).toMatchObject({ a: { stream: { max_fps: 5 } }, b: { stream: { max_fps: 30 } } });
  });

  it.each<[string, string, string]>([
    [
      'HEADGATE_LIMITS_STREAM_MAX_BITRATE',
      '1Mbps',
      'HEADGATE_LIMITS_STREAM_MAX_BITRATE: is no setting of Headgate; did you mean HEADGATE_LIMITS__STREAM__MAX_BITRATE?',
    ],
    [
      'HEADGATE_LIMITS__STREAM__MAX_BITRAT',
      '1Mbps',
      'HEADGATE_LIMITS__STREAM__MAX_BITRAT limits.stream: is no setting of Headgate; did you mean HEADGATE_LIMITS__STREAM__MAX_BITRATE?',
    ],
    [
      'HEADGATE_NONSENSE',
      '1',
      'HEADGATE_NONSENSE: is no setting of Headgate; unset it, or see config/headgate.yaml for the keys',
    ],
    [
      'HEADGATE_',
      '1',
      'HEADGATE_: is no setting of Headgate; unset it, or see config/headgate.yaml for the keys',
    ],
    [
      'HEADGATE_LIMITS__STREAM__MAX_FPS',
      '60',
      'HEADGATE_LIMITS__STREAM__MAX_FPS limits.stream.max_fps: 60 has no unit; did you mean 60fps?',
    ],
    [
      'HEADGATE_LIMITS__STREAM__MAX_FPS',
      '',
      'HEADGATE_LIMITS__STREAM__MAX_FPS limits.stream.max_fps: is set but empty; unset it to take the default',
    ],
    [
      'HEADGATE_CLIENTS__1__ID',
      'a',
      'HEADGATE_CLIENTS__1__ID clients: names entry 1, but there are only 0; the next one is 0',
    ],
    [
      'HEADGATE_CLIENTS__0__TIER',
      'gold',
      'HEADGATE_CLIENTS__0__TIER clients[0].tier: there is no tier "gold"; add it under tiers',
    ],
    ['HEADGATE_DENY', '[', 'HEADGATE_DENY deny: is not valid YAML: '],
    [
      'HEADGATE_LISTEN__ADMIN',
      '0.0.0.0:8080',
      'HEADGATE_LISTEN__ADMIN listen.admin: the admin API would be open',
    ],
  ])('%s=%s is refused by its name', (name, value, expected) => {
    expect(problems({ [name]: value }).some((line) => line.startsWith(expected))).toBe(true);
  });

  it('refuse two spellings of one key', () => {
    const env = { HEADGATE_NODE__ID: 'a', HEADGATE_node__id: 'b' };
    expect(problems(env)).toEqual([
      expect.stringMatching(
        /^HEADGATE_\w+ node\.id: sets the same key as HEADGATE_\w+; keep one of the two$/,
      ),
    ]);
  });

  it('leave variables of the commands and of Kubernetes services alone', () => {
    const env = {
      HEADGATE_URL: 'http://127.0.0.1:1',
      HEADGATE_TOKEN: 'x',
      HEADGATE_SERVICE_HOST: '10.0.0.1',
      HEADGATE_SERVICE_PORT_RTMP: '1935',
      HEADGATE_PORT: 'tcp://10.0.0.1:1935',
      HEADGATE_PORT_1935_TCP_ADDR: '10.0.0.1',
      HEADGATE_ADMIN_SERVICE_PORT: '8080',
      PATH: '/bin',
    };
    expect(problems(env)).toEqual([]);
  });

  it('say of every setting where it came from', () => {
    const env = {
      HEADGATE_LIMITS__STREAM__MAX_BITRATE: '4Mbps',
      HEADGATE_ALLOW: '[10.0.0.1]',
      HEADGATE_TIERS__A__STREAM__GRACE: '1s',
    };
    const result = loadText(
      'limits:\n  stream:\n    max_fps: 30fps\npolicies:\n  - name: p\n    stream:\n      max_fps: 5fps\n',
      'f.yaml',
      env,
    );
    const origins = result.ok ? result.source.origins : new Map();
    expect(origins.get('limits.stream.max_bitrate')).toBe('env HEADGATE_LIMITS__STREAM__MAX_BITRATE');
    expect(origins.get('limits.stream.max_fps')).toBe('f.yaml:3');
    expect(origins.get('limits.stream.grace')).toBe('default');
    expect(origins.get('allow')).toBe('env HEADGATE_ALLOW');
    expect(origins.get('policies[0].stream.max_fps')).toBe('f.yaml:7');
    expect(origins.get('tiers.a.stream.grace')).toBe('env HEADGATE_TIERS__A__STREAM__GRACE');
  });
});
