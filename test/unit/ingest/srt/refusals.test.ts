import { afterEach, describe, expect, it, vi } from 'vitest';
import { refusal } from '../../../../src/core/admission/denials.ts';
import { REASONS } from '../../../../src/core/reasons.ts';
import { codeOf } from '../../../../src/ingest/srt/codes.ts';
import { doorRules } from '../../../../src/ingest/srt/rules.ts';
import { SRT_CAUSE } from '../../../../src/native/srt.ts';
import { type FakeConfig, FakeSrt, type Written } from './fake-srt.ts';

/** What the door is told, and what is written down of whom it turned away. */

let srt: FakeSrt;
afterEach(() => srt?.server.close());

async function open(config: FakeConfig = {}): Promise<FakeSrt> {
  srt = await FakeSrt.open(config);
  return srt;
}

/** Waits until the door has an entry of that kind; its number. */
async function entry(kind: string): Promise<number> {
  const index = (): number => srt.native.entries.findIndex((candidate) => candidate.kind === kind);
  await vi.waitFor(() => expect(index()).toBeGreaterThanOrEqual(0));
  return index() + 1;
}

const lastWritten = (): Written => srt.notebook.written.at(-1) as Written;

describe('codes', () => {
  it('are those of the contract', () => {
    const byCode = new Map<number, string[]>();
    for (const reason of REASONS) byCode.set(codeOf(reason), [...(byCode.get(codeOf(reason)) ?? []), reason]);
    expect(Object.fromEntries([...byCode].filter(([code]) => code !== 1402))).toEqual({
      1400: ['protocol_error'],
      1401: ['auth_failed'],
      1403: ['denied', 'cooldown'],
      1409: ['stream_duplicate'],
      1503: ['draining'],
    });
    expect(byCode.get(1402)).toEqual(
      expect.arrayContaining(['ip_connections', 'client_streams', 'resource_cpu']),
    );
  });
});

describe('a refusal at the door', () => {
  it.each([
    [
      SRT_CAUSE.BAD_STREAM_ID,
      'protocol_error',
      /its mode \(m=\) is neither publish nor request/,
      'stream_id',
    ],
    [SRT_CAUSE.UNKNOWN_KEY, 'auth_failed', /the stream key is unknown/, 'key'],
    [SRT_CAUSE.DENIED, 'denied', /on the deny list/, 'denied'],
    [SRT_CAUSE.BEHIND, 'global_connection_rate', /more SRT callers at once/, 'behind'],
    [SRT_CAUSE.NOT_READY, 'global_connection_rate', /only just started/, 'not_ready'],
    [SRT_CAUSE.NO_SUCH_STREAM, 'protocol_error', /nobody publishes; to publish.*m=publish/, 'no_such_stream'],
    [SRT_CAUSE.PASSPHRASE, 'auth_failed', /passphrase is wrong, missing/, 'passphrase'],
  ] as const)('for cause %i is written down as %s', async (cause, reason, detail, counted) => {
    const { native, server } = await open();
    native.refused({ cause, streamIdError: 'bad_mode', count: 3 });
    expect(lastWritten()).toMatchObject({
      action: 'refuse',
      reason,
      times: 3,
      ip: '192.0.2.10',
      protocol: 'srt',
    });
    expect(lastWritten().detail).toMatch(detail);
    expect(server.stats().refused).toEqual({ [counted]: 3 });
  });

  it('for a closed gate tells what the server is short of, and how long it is closed as of now', async () => {
    const { native, pressure, server } = await open();
    pressure.closed = { ...refusal('resource_cpu', 'cpu', 5_000), limit: 0.9, observed: 0.97 };
    server.round(performance.now());
    const number = await entry('all');
    expect(native.entries[number - 1]).toMatchObject({ code: 1402, until: Number.POSITIVE_INFINITY });
    native.refused({ cause: number });
    expect(lastWritten()).toMatchObject({ reason: 'resource_cpu', limit: 0.9, retryAfterMs: 5_000 });
    const { version } = native;
    pressure.closed = { ...pressure.closed, retryAfterMs: 1_000 };
    server.round(performance.now());
    await vi.waitFor(() => {
      native.refused({ cause: number, version });
      expect(lastWritten()).toMatchObject({ reason: 'resource_cpu', retryAfterMs: 1_000 });
    });
    expect(native.version).toBe(version);
    pressure.closed = null;
    server.round(performance.now());
    await vi.waitFor(() => expect(native.entries).toEqual([]));
  });

  it('for a cap tells limit and count, long after the table was replaced', async () => {
    const { native } = await open({ global: { max_connections: 1 } });
    native.accepted(1, 'cam1');
    const number = await entry('all');
    const { version } = native;
    native.closed(1);
    await vi.waitFor(() => expect(native.version).toBeGreaterThan(version));
    native.refused({ cause: number, version });
    expect(lastWritten()).toMatchObject({
      reason: 'global_connections',
      key: 'global',
      limit: 1,
      observed: 1,
      retryAfterMs: 1000,
      path: null,
    });
  });

  it('for a duplicate names path and client, and the longest of all waits', async () => {
    const { native, admission } = await open({ global: { max_streams: 1 } });
    native.accepted(1, 'cam1');
    await entry('publishers');
    admission.startCooldown({ keys: ['192.0.2.11 /live/cam1'] }, 20_000, 'kicked', performance.now());
    const number = await entry('key');
    native.refused({ cause: await entry('path'), path: '/live/cam1', client: '192.0.2.11' });
    expect(lastWritten()).toMatchObject({
      reason: 'stream_duplicate',
      key: '/live/cam1',
      client: '192.0.2.11',
    });
    native.refused({ cause: number, path: '/live/cam1', client: '192.0.2.11' });
    expect(lastWritten()).toMatchObject({ reason: 'cooldown', key: '/live/cam1' });
    expect(lastWritten().retryAfterMs).toBeGreaterThan(15_000);
    expect(lastWritten().retryAfterMs).toBeLessThanOrEqual(20_000);
  });

  it('for the cap of a client is found by name with keys, by address without', async () => {
    const clients = [
      { id: 'alice', tier: null, passphrase: null, keys: [{ key: 'k-alice', name: 'alice-1' }] },
    ];
    const { native } = await open({ mode: 'keys', clients, maxStreams: 1 });
    native.accepted(1, 'k-alice');
    const number = await entry('client');
    expect(native.entries[number - 1]).toEqual({
      kind: 'client',
      name: 'alice',
      code: 1402,
      until: Infinity,
    });
    native.refused({ cause: number, path: '/live/other', client: 'alice' });
    expect(lastWritten()).toMatchObject({ reason: 'client_streams', key: 'alice', limit: 1, observed: 1 });
    await srt.server.close();
    await open({ maxStreams: 1 });
    srt.native.accepted(1, 'cam1');
    const byAddress = await entry('client');
    expect(srt.native.entries[byAddress - 1]).toMatchObject({ kind: 'client', address: '192.0.2.10' });
  });

  it('for draining holds for everybody', async () => {
    const { native, admission } = await open();
    admission.setDraining(true);
    const number = await entry('all');
    expect(native.entries).toEqual([{ kind: 'all', code: 1503, until: Infinity, evenExempt: true }]);
    native.refused({ cause: number, code: 1503 });
    expect(lastWritten()).toMatchObject({ reason: 'draining', retryAfterMs: Infinity });
  });

  it('of a player for want of places is counted and not written down', async () => {
    const { native, server, notebook } = await open();
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam1', { play: true });
    native.refused({ cause: await entry('players'), play: true, path: '/live/cam1' });
    expect(notebook.written).toEqual([]);
    expect(server.stats().refused).toEqual({ limit: 1 });
  });

  it('by a table that nobody remembers is counted all the same', async () => {
    const { native, server, notebook } = await open();
    native.refused({ cause: 7, version: 999 });
    expect(notebook.written).toEqual([]);
    expect(server.stats().refused).toEqual({ limit: 1 });
  });
});

describe('the rules of a listener', () => {
  const keys = [{ key: 'k-alice', name: 'alice-1' }];
  const clients = [{ id: 'alice', tier: 'pro', passphrase: 'of-alice-alone', keys }];
  const base = { ipv6Prefix: 64, allow: ['192.0.2.0/24'], deny: [], clients, policies: [] };

  it('hold keys only where they are asked for', () => {
    expect(doorRules({ ...base, mode: 'open' }, null).keys).toEqual([]);
    expect(doorRules({ ...base, mode: 'keys' }, null).keys).toEqual([
      {
        secret: 'k-alice',
        client: 'alice',
        tier: 'pro',
        name: 'alice-1',
        keyId: expect.stringMatching(/^k-[0-9a-f]{16}$/),
        passphrase: 'of-alice-alone',
      },
    ]);
  });

  it('take passphrases of policies that are enforced over SRT, by priority', () => {
    const policy = { priority: 0, mode: 'enforce', match: {}, passphrase: null } as const;
    const policies = [
      { ...policy, passphrase: 'plain-policy' },
      { ...policy, passphrase: 'observed-only', mode: 'observe' as const },
      { ...policy, passphrase: 'of-another-protocol', match: { protocol: ['rtmp'] } },
      { ...policy, match: { app: 'live' } },
      { ...policy, passphrase: 'goes-first', priority: 5, match: { ip: '10.0.0.0/8', stream: 'vip-*' } },
    ];
    const rules = doorRules({ ...base, mode: 'open', policies }, 'of-the-listener');
    expect(rules.passphrase).toBe('of-the-listener');
    expect(rules.policies).toEqual([
      { app: '', stream: 'vip-*', network: '10.0.0.0/8', client: '', tier: '', passphrase: 'goes-first' },
      { app: '', stream: '', network: '', client: '', tier: '', passphrase: 'plain-policy' },
    ]);
  });
});
