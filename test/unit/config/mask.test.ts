import { describe, expect, it } from 'vitest';
import { diffConfig, formatChange, withoutRestart } from '../../../src/config/diff.ts';
import { loadText } from '../../../src/config/load.ts';
import { effectiveValues, maskedConfig } from '../../../src/config/mask.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { type Config, defaultConfig } from '../../../src/config/schema.ts';

function config(text: string): Config {
  const result = loadText(text, 'f.yaml', {});
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

const FULL = `
listen: { admin: "[::1]:8080", playback: null }
admin: { tokens: [ { token: SECRET-token-0123456789, role: operator } ] }
auth: { mode: keys }
limits: { ip: { max_bandwidth: 1MiB/s }, stream: { grace: never, max_fps: 29.97fps }, client: { publish_rate: 7/h } }
tiers: { pro: { client: { max_streams: unlimited }, stream: { max_bitrate: 12Mbps } } }
clients: [ { id: alice, tier: pro, keys: [ SECRET-key-1, { key: SECRET-key-2, name: stage } ] } ]
policies: [ { name: vip, match: { app: live, ip: 10.1.2.3/8, protocol: [ rtmp ] }, stream: { grace: 1.5s } } ]
deny: [ 203.0.113.7 ]
`;

describe('the masked config', () => {
  it('holds no secret', () => {
    const shown = JSON.stringify(maskedConfig(config(FULL)));
    expect(shown).not.toContain('SECRET');
    expect(shown).toContain('"keys":[{"key":"***","name":"alice-1"},{"key":"***","name":"stage"}]');
    expect(shown).toContain('"token":"***"');
  });

  it('speaks the language of the config file', () => {
    expect(maskedConfig(config(FULL))).toMatchObject({
      listen: { rtmp: '0.0.0.0:1935', rtmps: null, playback: null, admin: '[::1]:8080' },
      limits: {
        ip: { max_bandwidth: '8388608bps' },
        stream: { grace: 'never' },
        client: { publish_rate: '7/h' },
      },
      policies: [{ match: { ip: '10.0.0.0/8' }, stream: { grace: '1.5s' } }],
    });
  });

  it('means the same when it is loaded again, but for the secrets', () => {
    const before = config(
      FULL.replace(/\{ key: SECRET-key-2, name: stage \}/, '').replace('SECRET-key-1,', ''),
    );
    const open = { ...before, admin: { ...before.admin, tokens: [] } };
    expect(config(JSON.stringify(maskedConfig(open)))).toEqual(open);
  });
});

describe('effective values', () => {
  it('show units and origins, and what policies change', () => {
    const result = loadText(FULL, 'f.yaml', {});
    const values = result.ok ? effectiveValues(result.config, result.source) : [];
    expect(values).toContainEqual({ path: 'limits.stream.grace', value: 'never', origin: 'f.yaml:5' });
    expect(values).toContainEqual({ path: 'limits.stream.max_bitrate', value: '6Mbps', origin: 'default' });
    expect(values).toContainEqual({ path: 'clients', value: '1 entry', origin: 'f.yaml:7' });
    expect(values).toContainEqual({ path: 'policies[0].stream.grace', value: '1.5s', origin: 'f.yaml:8' });
    expect(values).toContainEqual({
      path: 'tiers.pro.client.max_streams',
      value: 'unlimited',
      origin: 'f.yaml:6',
    });
    expect(JSON.stringify(values)).not.toContain('SECRET');
  });
});

describe('the difference of two configs', () => {
  it('is nothing for the same config written differently', () => {
    const other = config('limits: { stream: { max_bitrate: 6000kbps, grace: 0.01s } }\nclients:');
    const diff = diffConfig(defaultConfig(), {
      ...other,
      limits: { ...other.limits, stream: { ...other.limits.stream, grace: 10_000 } },
    });
    expect(diff).toEqual({ sections: [], changes: [] });
  });

  it('names sections and keys, in words, and what needs a restart', () => {
    const after = config(
      'limits: { stream: { max_bitrate: 4Mbps } }\nlisten: { rtmp: "0.0.0.0:1936" }\ndeny: [ 10.0.0.1 ]',
    );
    const { sections, changes } = diffConfig(defaultConfig(), after);
    expect(sections).toEqual(['listen', 'limits', 'deny']);
    expect(changes.map(formatChange)).toEqual([
      'listen.rtmp: 0.0.0.0:1935 -> 0.0.0.0:1936 (takes effect after a restart)',
      'limits.stream.max_bitrate: 6Mbps -> 4Mbps',
      'deny: none -> 1 entry',
    ]);
  });

  it('sees a change inside a list of the same length, without showing secrets', () => {
    const before = config('clients: [ { id: a, keys: [ SECRET-one ] } ]');
    const after = config('clients: [ { id: a, keys: [ SECRET-two ] } ]');
    expect(diffConfig(before, after).changes.map(formatChange)).toEqual(['clients: changed']);
  });

  it('leaves what needs a restart as it runs, and takes the rest', () => {
    const running = config('node: { id: a }\nlimits: { ip: { max_connections: 5 } }');
    const next = config(
      'node: { id: b }\nlisten: { rtmp: null }\nlimits: { ip: { max_connections: 7, ipv6_prefix: 48 } }',
    );
    const inForce = withoutRestart(running, next);
    const { ip } = running.limits;
    expect(inForce).toEqual({ ...running, limits: { ...running.limits, ip: { ...ip, max_connections: 7 } } });
    expect(diffConfig(inForce, next).changes.map(({ restart }) => restart)).toEqual([true, true, true]);
    expect(Object.isFrozen(inForce) && Object.isFrozen(inForce.limits.ip)).toBe(true);
  });
});
