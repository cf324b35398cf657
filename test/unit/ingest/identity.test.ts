import { describe, expect, it } from 'vitest';
import { type IdentityConfig, IdentityDirectory } from '../../../src/ingest/identity.ts';

const CLIENTS: IdentityConfig['clients'] = [
  {
    id: 'alice',
    tier: 'pro',
    priority: 80,
    keys: [
      { key: 'secret-a1', name: 'alice-1' },
      { key: 'secret.a2~', name: 'stage' },
    ],
  },
  { id: 'bob', tier: null, priority: 50, keys: [{ key: 'secret-b1', name: 'bob-1' }] },
];

const claim = (streamName: string, query = '', over: { app?: string; ip?: string } = {}) => ({
  app: 'live',
  ip: '192.0.2.10',
  ...over,
  streamName,
  query: new URLSearchParams(query),
});

describe('keys mode', () => {
  const directory = new IdentityDirectory({ mode: 'keys', clients: CLIENTS });

  it('takes the stream name for the key and shows its public name instead', () => {
    expect(directory.resolve(claim('secret-a1'))).toMatchObject({
      ok: true,
      client: 'alice',
      tier: 'pro',
      priority: 80,
      publicName: 'alice-1',
    });
    expect(directory.resolve(claim('secret.a2~'))).toMatchObject({ publicName: 'stage' });
    expect(directory.resolve(claim('secret-b1'))).toMatchObject({ client: 'bob', tier: null });
  });

  it('keeps the name a stream gives when the key is in the query', () => {
    expect(directory.resolve(claim('cam', 'key=secret-b1'))).toMatchObject({
      client: 'bob',
      publicName: 'cam',
    });
  });

  it.each([
    ['an unknown key', 'nobody', ''],
    ['no name at all', '', ''],
    ['a public name, which is no key', 'alice-1', ''],
    ['an unknown key in the query', 'cam', 'key=nobody'],
    ['an empty key in the query', 'cam', 'key='],
    ['a wrong query key beside a right name', 'secret-a1', 'key=nobody'],
    ['two keys', 'cam', 'key=secret-a1&key=secret-a1'],
    ["somebody else's secret for a name", 'secret-a1', 'key=secret-b1'],
    ["somebody else's public name", 'alice-1', 'key=secret-b1'],
    ['a key that is too long to be one', 'k'.repeat(100_000), ''],
    ['a name of Object.prototype', '__proto__', ''],
    ['another case', 'SECRET-A1', ''],
  ])('refuses %s', (_what, name, query) => {
    expect(directory.resolve(claim(name, query))).toMatchObject({ ok: false, reason: 'auth_failed' });
  });

  it('never turns a secret into a public name', () => {
    expect(directory.resolve(claim('secret-a1', 'key=secret-a1'))).toMatchObject({
      ok: true,
      publicName: 'alice-1',
    });
  });

  it('lets a client use the public name of its own key', () => {
    expect(directory.resolve(claim('stage', 'key=secret-a1'))).toMatchObject({
      ok: true,
      publicName: 'stage',
    });
  });

  it('says what is wrong with a name once the key is right', () => {
    const refused = directory.resolve(claim('a b', 'key=secret-a1'));
    expect(refused).toMatchObject({ ok: false, reason: 'protocol_error' });
    expect(directory.resolve(claim('x'.repeat(129), 'key=secret-a1'))).toMatchObject({ ok: false });
  });

  it('never repeats what was sent, nor holds a secret in an identity', () => {
    for (const answer of [
      directory.resolve(claim('almost-secret-a1')),
      directory.resolve(claim('very wrong', 'key=secret-a1')),
      directory.resolve(claim('secret-a1')),
      directory.resolve(claim('cam', 'key=secret-a1')),
    ]) {
      expect(JSON.stringify(answer)).not.toMatch(/secret|very wrong/);
    }
  });

  it('tells keys apart by an id that outlives a reload', () => {
    const idOf = (of: IdentityDirectory, name: string, query = ''): string => {
      const answer = of.resolve(claim(name, query));
      return answer.ok ? answer.keyId : '';
    };
    const reloaded = new IdentityDirectory({ mode: 'keys', clients: [...CLIENTS].reverse() });
    expect(idOf(directory, 'secret-a1')).toMatch(/^k-[0-9a-f]{16}$/);
    expect(idOf(reloaded, 'secret-a1')).toBe(idOf(directory, 'secret-a1'));
    expect(idOf(directory, 'cam', 'key=secret-a1')).toBe(idOf(directory, 'secret-a1'));
    expect(idOf(directory, 'secret.a2~')).not.toBe(idOf(directory, 'secret-a1'));
  });
});

describe('open mode', () => {
  const directory = new IdentityDirectory({ mode: 'open', clients: CLIENTS });

  it('makes the address the client', () => {
    expect(directory.resolve(claim('cam1'))).toEqual({
      ok: true,
      client: '192.0.2.10',
      tier: null,
      priority: 50,
      publicName: 'cam1',
      keyId: '192.0.2.10 /live/cam1',
    });
    expect(directory.resolve(claim('cam1', '', { ip: '::ffff:192.0.2.10' }))).toMatchObject({
      client: '192.0.2.10',
    });
    expect(directory.resolve(claim('cam1', '', { ip: '2001:db8::1:2:3:4' }))).toMatchObject({
      client: '2001:db8::/64',
    });
  });

  it('takes the width of an IPv6 client from the config', () => {
    const wide = new IdentityDirectory({ mode: 'open', clients: [], ipv6Prefix: 48 });
    expect(wide.resolve(claim('cam1', '', { ip: '2001:db8:1:2::1' }))).toMatchObject({
      client: '2001:db8:1::/48',
    });
  });

  it('ignores keys', () => {
    expect(directory.resolve(claim('cam1', 'key=nobody'))).toMatchObject({ ok: true, client: '192.0.2.10' });
  });

  it.each(['', 'a b', '../etc', 'a/b', 'a.b', 'ä', 'x'.repeat(129), 'a\n', 'a\0'])(
    'refuses the name %j',
    (name) => {
      expect(directory.resolve(claim(name))).toMatchObject({ ok: false, reason: 'protocol_error' });
      expect(directory.resolve(claim('cam', '', { app: name }))).toMatchObject({
        ok: false,
        reason: 'protocol_error',
      });
    },
  );

  it('accepts the longest name', () => {
    expect(directory.resolve(claim('x'.repeat(128)))).toMatchObject({ ok: true });
  });
});
