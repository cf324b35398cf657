import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Receipt } from '../../src/core/verdict.ts';
import { headgate } from '../support/cli.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { pause, type ServerOptions, TestServer, until } from '../support/server.ts';
import { type CallAnswer, SrtCaller } from '../support/srt-client.ts';
import { SrtPublisher, tsClip } from '../support/srt-publishers.ts';

/** The same admission for SRT as for RTMP: told by its codes, explained by receipts, changed by a reload. */

let server: TestServer;
const started: { stop(): Promise<unknown> }[] = [];
let flv = '';
let ts = '';

beforeAll(() => {
  flv = clip({ kbps: 1000 });
  ts = tsClip({ kbps: 1000 });
});
afterEach(async () => {
  for (const one of started.splice(0).reverse()) await one.stop();
});

async function serve(options: ServerOptions = {}): Promise<TestServer> {
  server = await TestServer.start(options);
  const { stop } = server;
  started.push({ stop: () => stop.call(server) });
  return server;
}

const publishing = (name: string): string => `#!::r=live/${name},m=publish`;

function overSrt(name: string): SrtPublisher {
  const publisher = new SrtPublisher('ffmpeg', ts, { port: server.ports.srt, streamId: publishing(name) });
  started.push(publisher);
  return publisher;
}

function overRtmp(name: string): Publisher {
  const publisher = new Publisher(flv, `${server.rtmp()}/${name}`);
  started.push(publisher);
  return publisher;
}

/** Calls from a loopback address, and stays on when it is let in. */
async function call(
  streamId: string,
  localAddress = '127.0.0.1',
): Promise<CallAnswer & { caller: SrtCaller }> {
  const { caller, answer } = await SrtCaller.call({ port: server.ports.srt, streamId, localAddress });
  started.push({ stop: async () => caller.vanish() });
  return { ...answer, caller };
}

const refused = (code: number): CallAnswer => ({ accepted: false, refused: code });

/** What `headgate why` tells about somebody. */
async function why(key: string): Promise<string> {
  const { code, stdout, stderr } = await headgate(['why', key, '--url', server.url('')]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout;
}

describe('beside RTMP', () => {
  test('a stream over SRT stands in top, and shares the cap of its client', async () => {
    await serve({ config: 'limits: { client: { max_streams: 2 } }' });
    overRtmp('tcp');
    overSrt('udp');
    await server.stream('/live/tcp', ({ usage }) => usage.frames > 0);
    await server.stream('/live/udp', ({ usage }) => usage.frames > 0);
    const top = await headgate(['top', '--once', '--url', server.url('')]);
    expect(top.stdout).toMatch(/\/live\/tcp .*h264\+aac/);
    expect(top.stdout).toMatch(/\/live\/udp .*h264\+aac/);
    expect(await call(publishing('third'))).toMatchObject(refused(1402));
    expect(await why('/live/third')).toMatch(
      /client_streams[\s\S]*\/live\/third from 127\.0\.0\.1 over srt was refused because this client had 2 streams live and may have 2/,
    );
    const third = overRtmp('third-over-tcp');
    await third.exited;
    expect(third.stderr).toContain('client_streams limit=2 observed=2');
  });

  test('a budget that both share drops video over SRT and slows RTMP', async () => {
    await serve({ config: 'limits: { global: { max_bandwidth: 1300kbps } }' });
    overRtmp('tcp');
    overSrt('udp');
    await server.stream('/live/udp', ({ usage }) => usage.dropped_frames > 0);
    await server.stream('/live/tcp', ({ usage }) => usage.throttled_ms > 0);
    const dropped = await server.receipt('global_bandwidth', ({ protocol }) => protocol === 'srt');
    expect(dropped).toMatchObject({ action: 'drop', path: '/live/udp', limit: 1_300_000 });
    expect((await server.stream('/live/udp')).state).toBe('dropping');
  });
});

describe('every refusal has its code and its receipt', () => {
  async function explained(reason: string, when: (receipt: Receipt) => boolean): Promise<Receipt> {
    const receipt = await server.receipt(reason, (found) => found.protocol === 'srt' && when(found));
    expect(receipt).toMatchObject({ action: 'refuse' });
    return receipt;
  }

  test('limits, duplicates, lists and stream ids', async () => {
    const config = [
      'limits: { ip: { max_connections: 2, connection_rate: 6/min }, global: { max_streams: 3 } }',
      'deny: [ 127.9.0.0/16 ]',
    ];
    await serve({ config: config.join('\n') });
    const first = await call(publishing('cam1'), '127.1.0.1');
    expect(first.accepted).toBe(true);
    await server.stream('/live/cam1');

    expect(await call(publishing('cam1'), '127.1.0.2')).toMatchObject(refused(1409));
    expect(await explained('stream_duplicate', ({ path }) => path === '/live/cam1')).toMatchObject({
      ip: '127.1.0.2',
      detail: 'this path already has a live publisher',
    });

    expect(await call(publishing('cam2'), '127.9.0.1')).toMatchObject(refused(1403));
    await explained('denied', ({ ip }) => ip === '127.9.0.1');

    expect(await call('#!::r=live/cam2,m=bidirectional', '127.1.0.3')).toMatchObject(refused(1400));
    const bad = await explained('protocol_error', ({ ip }) => ip === '127.1.0.3');
    expect(bad.detail).toContain('bidirectional');

    // Who forgets m=publish asks to play, by the standard.
    expect(await call('#!::r=live/cam2', '127.1.0.4')).toMatchObject(refused(1404));
    expect((await explained('protocol_error', ({ ip }) => ip === '127.1.0.4')).detail).toContain('m=publish');

    expect((await call(publishing('cam2'), '127.1.0.1')).accepted).toBe(true);
    await server.stream('/live/cam2');
    expect(await call(publishing('cam3'), '127.1.0.1')).toMatchObject(refused(1402));
    expect(await explained('ip_connections', ({ key }) => key === '127.1.0.1')).toMatchObject({
      limit: 2,
      observed: 2,
    });

    expect((await call(publishing('cam3'), '127.1.0.5')).accepted).toBe(true);
    await server.stream('/live/cam3');
    expect(await call(publishing('cam4'), '127.1.0.6')).toMatchObject(refused(1402));
    expect(await explained('global_streams', ({ ip }) => ip === '127.1.0.6')).toMatchObject({ limit: 3 });
    expect(await server.metric('headgate_srt_refused_total', '{cause="limit"}')).toBe(3);
    expect(await server.metric('headgate_connections', '{protocol="srt"}')).toBe(3);
  });

  test('a rate is over when it says so, and not before', async () => {
    await serve({ config: 'limits: { ip: { connection_rate: 2/s } }' });
    const answer = await until(async () => {
      const tried = await call(publishing('cam1'));
      tried.caller.vanish();
      return tried.accepted ? null : tried;
    }, 'a refusal');
    expect(answer).toMatchObject(refused(1402));
    const receipt = await explained('ip_connection_rate', () => true);
    expect(receipt.retry_after_ms).toBeGreaterThan(0);
    await pause(receipt.retry_after_ms as number);
    expect((await call(publishing('cam4'))).accepted).toBe(true);
  });

  test('keys, their public names and passphrases', async () => {
    const config = [
      'auth: { mode: keys }',
      'clients:',
      '  - { id: alice, keys: [ k-alice-one, { key: k-alice-two, name: stage } ], limits: { max_streams: 1 } }',
      '  - { id: bob, keys: [ k-bob-one ], passphrase: of-bob-alone }',
    ];
    await serve({ config: config.join('\n') });
    expect(await call(publishing('k-mistyped'))).toMatchObject(refused(1401));
    const unknown = await explained('auth_failed', ({ path }) => path === null);
    expect(JSON.stringify(unknown)).not.toContain('mistyped');

    expect((await call(publishing('k-alice-one'))).accepted).toBe(true);
    await server.stream('/live/alice-1');
    expect(await call('#!::r=live/other,s=k-alice-two,m=publish')).toMatchObject(refused(1402));
    expect(await explained('client_streams', ({ path }) => path === '/live/other')).toMatchObject({
      client: 'alice',
      key: 'alice',
      limit: 1,
    });

    const target = { port: server.ports.srt, streamId: publishing('k-bob-one') };
    const wrong = new SrtPublisher('ffmpeg', ts, { ...target, passphrase: 'of-somebody-else' });
    started.push(wrong);
    await wrong.exited;
    const { detail } = await explained('auth_failed', ({ client }) => client === 'bob');
    expect(detail).toContain('passphrase');
    started.push(new SrtPublisher('ffmpeg', ts, { ...target, passphrase: 'of-bob-alone', keyBits: 256 }));
    const bob = await server.stream('/live/bob-1', ({ transport }) => transport.encryption_bits === 256);
    expect(bob.client).toBe('bob');
  });
});

describe('a live stream', () => {
  test('is kicked, stays out for its cooldown, and says why', async () => {
    await serve();
    const encoder = overSrt('cam1');
    const { id } = await server.stream('/live/cam1', ({ usage }) => usage.frames > 0);
    const kicked = await headgate([
      'kick',
      id,
      '--cooldown',
      '2s',
      '--reason',
      'testing',
      '--url',
      server.url(''),
    ]);
    expect(kicked.code).toBe(0);
    await encoder.exited;
    const again = await call(publishing('cam1'));
    expect(again).toMatchObject(refused(1403));
    expect(await why('/live/cam1')).toContain('an operator kicked this stream: testing');
    const receipt = await server.receipt('cooldown', ({ protocol }) => protocol === 'srt');
    await pause(receipt.retry_after_ms as number);
    expect((await call(publishing('cam1'))).accepted).toBe(true);
  });

  test('takes a limit of an operator, and drops down to it', async () => {
    await serve({ config: 'limits: { stream: { grace: never } }' });
    overSrt('cam1');
    const { id } = await server.stream('/live/cam1', ({ usage }) => usage.bitrate_bps > 800_000);
    await headgate(['limit', id, 'max_bitrate=600kbps', '--url', server.url('')]);
    await server.stream('/live/cam1', ({ state, usage }) => state === 'dropping' && usage.dropped_frames > 0);
    const slowed = await server.stream('/live/cam1', ({ usage }) => usage.bitrate_bps < 620_000);
    expect(slowed.limits).toMatchObject({ on_exceed: 'throttle', sources: { max_bitrate: 'override' } });
    await server.stream('/live/cam1', ({ utilization }) => utilization.bitrate <= 1.05);
  });

  test('that was killed is taken over by the same publisher at once', async () => {
    await serve();
    const first = overSrt('cam1');
    const { id } = await server.stream('/live/cam1', ({ usage }) => usage.frames > 30);
    await first.stop('SIGKILL');
    const began = performance.now();
    overSrt('cam1');
    await server.stream('/live/cam1', (stream) => stream.id !== id && stream.usage.frames > 0);
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(await server.receipt('stream_duplicate')).toMatchObject({ action: 'cut', stream: id });
    expect(await server.streams()).toHaveLength(1);
  });

  test('of its own publisher is not put out by a second one', async () => {
    await serve();
    overSrt('cam1');
    const { id } = await server.stream('/live/cam1', ({ usage }) => usage.frames > 0);
    const { accepted, caller } = await call(publishing('cam1'));
    expect(accepted).toBe(true);
    await until(() => caller.closed, 'the second one to be closed');
    expect(await server.receipt('stream_duplicate')).toMatchObject({ action: 'refuse', path: '/live/cam1' });
    expect((await server.stream('/live/cam1')).id).toBe(id);
  });

  test('outlives a reload that changes passphrases, limits and the deny list', async () => {
    await serve();
    overSrt('cam1');
    const { id } = await server.stream('/live/cam1', ({ usage }) => usage.frames > 0);
    server.configure(
      [
        'limits: { stream: { max_bitrate: 5Mbps } }',
        'policies: [ { name: secret, match: { stream: "secret-*" }, passphrase: for-some-streams } ]',
        'deny: [ 127.9.0.0/16 ]',
      ].join('\n'),
    );
    const after = await server.stream('/live/cam1', ({ limits }) => limits.max_bitrate_bps === 5_000_000);
    expect(after.id).toBe(id);
    const target = { port: server.ports.srt, streamId: publishing('secret-1') };
    await until(async () => {
      const { accepted, caller } = await call(publishing('cam9'), '127.9.0.1');
      caller.vanish();
      return !accepted;
    }, 'the deny list to hold');
    const open = new SrtPublisher('ffmpeg', ts, target);
    started.push(open);
    await open.exited;
    started.push(new SrtPublisher('ffmpeg', ts, { ...target, passphrase: 'for-some-streams' }));
    await server.stream('/live/secret-1', ({ transport }) => transport.encryption_bits === 128);
    expect((await server.stream('/live/cam1')).id).toBe(id);
  });

  test('is closed when the server drains, and newcomers are told to go elsewhere', async () => {
    await serve({ config: 'timeouts: { drain: 4s }' });
    const encoder = overSrt('cam1');
    await server.stream('/live/cam1', ({ usage }) => usage.frames > 0);
    server.process.kill('SIGTERM');
    await until(async () => {
      const { accepted, ...answer } = await call(publishing('cam2'), '127.1.0.2');
      return !accepted && 'refused' in answer && answer.refused === 1503;
    }, 'newcomers to be turned away');
    expect(await server.receipt('draining', ({ ip }) => ip === '127.1.0.2')).toMatchObject({
      protocol: 'srt',
    });
    await encoder.exited;
    expect(await server.exited).toBe(0);
  });
});
