import { expect, test } from 'vitest';
import { CallerAddress } from '../../../src/http-limit/caller.ts';
import { settingsOf } from '../../../src/http-limit/options.ts';

const { trustedProxies } = settingsOf({
  limit: 1,
  period: '1s',
  trustedProxies: ['10.0.0.0/8', '2001:db8:ffff::/48'],
});

function keyOf(address: string | undefined, forwarded?: string | string[], proxies = trustedProxies): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded as string };
  return new CallerAddress(proxies, 64).keyOf({ socket: { remoteAddress: address }, headers });
}

test.each([
  ['the connection is believed', '192.0.2.1', undefined, '192.0.2.1'],
  ['IPv4 in IPv6 clothing is IPv4', '::ffff:192.0.2.1', undefined, '192.0.2.1'],
  ['IPv6 counts by its network', '2001:db8:1:2:3:4:5:6', undefined, '2001:db8:1:2::/64'],
  ['a stranger is not believed', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
  ['a proxy of our own is', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
  ['what was sent to the proxy is not', '10.0.0.1', '203.0.113.1, 198.51.100.7', '198.51.100.7'],
  [
    'proxies in a row are passed over',
    '10.0.0.1',
    '198.51.100.7, 10.0.0.2, 2001:db8:ffff::1',
    '198.51.100.7',
  ],
  ['a port is left out', '10.0.0.1', '198.51.100.7:4711', '198.51.100.7'],
  ['brackets as well', '10.0.0.1', '[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
  ['nonsense stands for nobody', '10.0.0.1', 'unknown', '10.0.0.1'],
  ['a proxy that says nothing stands for its callers', '10.0.0.1', undefined, '10.0.0.1'],
  ['several fields are one list', '10.0.0.1', ['203.0.113.1', '198.51.100.7'], '198.51.100.7'],
  ['no address at all is one key', undefined, undefined, 'unknown'],
])('%s', (_what, address, forwarded, key) => {
  expect(keyOf(address, forwarded)).toBe(key);
});

test('without proxies of our own nobody is believed', () => {
  expect(keyOf('10.0.0.1', '198.51.100.7', [])).toBe('10.0.0.1');
});

test('a header of any length is looked at from its near end only', () => {
  const long = `${'10.0.0.9, '.repeat(100_000)}10.0.0.9`;
  expect(keyOf('10.0.0.1', long)).toBe('10.0.0.9');
});
