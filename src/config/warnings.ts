import { RESOURCES } from '../core/pressure/resources.ts';
import type { Finding } from './problem.ts';
import type { Config } from './schema.ts';

/** What is valid and probably not meant. Printed by `check`, logged by `serve`, never in the way. */

/** Shorter secrets can be guessed over the network in reasonable time. */
const KEY_LENGTH_ADVISED = 8;
const TOKEN_LENGTH_ADVISED = 16;

function onAccess(config: Config): Finding[] {
  const findings: Finding[] = [];
  const keyCount = config.clients.reduce((sum, client) => sum + client.keys.length, 0);
  if (config.auth.mode === 'keys' && keyCount === 0) {
    findings.push({
      path: ['auth', 'mode'],
      message: 'is keys, but no client has a key: nobody can publish',
    });
  }
  if (config.auth.mode === 'open' && keyCount > 0) {
    findings.push({
      path: ['auth', 'mode'],
      message: 'is open, so the keys of clients are not asked for; set it to keys',
    });
  }
  for (const [i, { token }] of config.admin.tokens.entries()) {
    if (token === undefined || token.length >= TOKEN_LENGTH_ADVISED) continue;
    findings.push({
      path: ['admin', 'tokens', i, 'token'],
      message: `is shorter than ${TOKEN_LENGTH_ADVISED} characters; headgate token makes a good one`,
    });
  }
  for (const [i, client] of config.clients.entries()) {
    for (const [k, { key, name }] of client.keys.entries()) {
      const path = ['clients', i, 'keys', k];
      if (key === name) findings.push({ path, message: 'is its own public name, and so no secret' });
      else if (key.length < KEY_LENGTH_ADVISED) {
        findings.push({
          path,
          message: `is shorter than ${KEY_LENGTH_ADVISED} characters and easily guessed`,
        });
      }
    }
  }
  return findings;
}

function onListeners({ listen }: Config): Finding[] {
  if (listen.rtmp !== null || listen.rtmps !== null || listen.srt !== null) return [];
  return [{ path: ['listen'], message: 'has neither rtmp nor rtmps nor srt: nobody can publish' }];
}

/** A limit that another one makes unreachable. */
function onLimits({ limits }: Config): Finding[] {
  const findings: Finding[] = [];
  const within = (
    scope: 'ip' | 'client' | 'stream',
    key: string,
    value: number,
    outer: string,
    most: number,
  ): void => {
    if (value === Number.POSITIVE_INFINITY || value <= most) return;
    findings.push({ path: ['limits', scope, key], message: `is never reached: ${outer} is lower` });
  };
  const { global, ip, client, stream } = limits;
  within(
    'ip',
    'max_connections',
    ip.max_connections,
    'limits.global.max_connections',
    global.max_connections,
  );
  within('ip', 'max_bandwidth', ip.max_bandwidth, 'limits.global.max_bandwidth', global.max_bandwidth);
  within('client', 'max_streams', client.max_streams, 'limits.global.max_streams', global.max_streams);
  within(
    'client',
    'max_bandwidth',
    client.max_bandwidth,
    'limits.global.max_bandwidth',
    global.max_bandwidth,
  );
  within('stream', 'max_bitrate', stream.max_bitrate, 'limits.client.max_bandwidth', client.max_bandwidth);
  const counts: readonly [Finding['path'], number][] = [
    [['limits', 'global', 'max_connections'], global.max_connections],
    [['limits', 'global', 'max_streams'], global.max_streams],
    [['limits', 'ip', 'max_connections'], ip.max_connections],
    [['limits', 'client', 'max_streams'], client.max_streams],
  ];
  for (const [path, value] of counts) {
    if (value === 0)
      findings.push({ path, message: 'is 0 and lets nobody in; for no limit write unlimited' });
  }
  if (stream.on_exceed === 'disconnect' && stream.grace === Number.POSITIVE_INFINITY) {
    findings.push({
      path: ['limits', 'stream', 'grace'],
      message: 'is never, so on_exceed: disconnect never disconnects',
    });
  }
  return findings;
}

function onPolicies(config: Config): Finding[] {
  const findings: Finding[] = [];
  for (const [i, policy] of config.policies.entries()) {
    const { passphrase, match } = policy;
    if (Object.keys(policy.stream).length === 0 && passphrase === null) {
      findings.push({ path: ['policies', i], message: 'changes nothing: it has no keys under stream' });
    }
    if (match.protocol?.every((protocol) => config.listen[protocol] === null)) {
      findings.push({
        path: ['policies', i, 'match', 'protocol'],
        message: `names only ${match.protocol.join(' and ')}, which is off under listen: the policy never matches`,
      });
    }
    if (passphrase !== null && (policy.mode === 'observe' || match.protocol?.includes('srt') === false)) {
      findings.push({
        path: ['policies', i, 'passphrase'],
        message: 'is never asked for: only an enforced policy that matches srt has one',
      });
    }
  }
  return findings;
}

function onNetworks({ allow, deny }: Config): Finding[] {
  const findings: Finding[] = [];
  for (const [i, network] of deny.entries()) {
    const path = ['deny', i];
    if (network.endsWith('/0')) findings.push({ path, message: `${network} refuses everybody` });
    if (allow.includes(network))
      findings.push({ path, message: `${network} is under allow too; deny goes first` });
  }
  for (const [i, network] of allow.entries()) {
    if (network.endsWith('/0'))
      findings.push({ path: ['allow', i], message: `${network} exempts everybody from all limits` });
  }
  return findings;
}

function onPressure({ resources, adaptive, backpressure }: Config): Finding[] {
  const findings: Finding[] = [];
  const looked = RESOURCES.some((resource) => resources[resource] !== null);
  if (!looked && backpressure.enabled && backpressure.protected < 1) {
    findings.push({
      path: ['backpressure', 'enabled'],
      message: 'is true, but no resource is looked at: live streams are never lowered or cut',
    });
  }
  if (backpressure.enabled && backpressure.protected === 1) {
    findings.push({
      path: ['backpressure', 'protected'],
      message: 'is 100%, so no live stream is ever lowered or cut; to say so, set enabled to false',
    });
  }
  if (adaptive.enabled && Object.values(adaptive.signals).every((target) => target === null)) {
    findings.push({
      path: ['adaptive', 'signals'],
      message: 'are all null: nothing is ever adapted; to say so, set enabled to false',
    });
  }
  if (adaptive.enabled && adaptive.min === adaptive.max) {
    findings.push({
      path: ['adaptive', 'min'],
      message: 'equals max, so nothing is ever adapted; to say so, set enabled to false',
    });
  }
  return findings;
}

/** Every warning about a valid config. */
export function warningsOf(config: Config): Finding[] {
  return [
    ...onListeners(config),
    ...onLimits(config),
    ...onPressure(config),
    ...onAccess(config),
    ...onPolicies(config),
    ...onNetworks(config),
  ];
}
