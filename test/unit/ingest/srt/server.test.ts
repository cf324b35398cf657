import { afterEach, describe, expect, it, vi } from 'vitest';
import { refusal } from '../../../../src/core/admission/denials.ts';
import { MODE, STREAM } from '../../../../src/core/meter/slab-layout.ts';
import { HeadgateError } from '../../../../src/lib/errors.ts';
import { SRT_MEDIA, SRT_STATS } from '../../../../src/native/srt.ts';
import { type FakeConfig, FakeSrt } from './fake-srt.ts';

let srt: FakeSrt;
afterEach(async () => {
  vi.restoreAllMocks();
  await srt.server.close();
});

async function open(config: FakeConfig = {}): Promise<FakeSrt> {
  srt = await FakeSrt.open(config);
  return srt;
}

/** From now on this much later than it is. */
function later(ms: number): void {
  const real = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => real() + ms);
}

const paths = (): string[] => [...srt.registry.all()].map(({ identity }) => identity.path);

describe('a publisher', () => {
  it('is live once it is attached, in drop mode for throttle, and gives all back when it leaves', async () => {
    const { native, slab, admission, notebook } = await open();
    native.accepted(1, 'cam1');
    const stream = srt.registry.at('/live/cam1');
    expect(stream?.identity).toMatchObject({ protocol: 'srt', client: '192.0.2.10', port: 40_001 });
    expect(native.attached.get(1)).toBe(stream?.slot);
    expect(stream?.read(STREAM.MODE)).toBe(MODE.DROP);
    expect(srt.server.connections).toBe(1);
    native.closed(1);
    expect(paths()).toEqual([]);
    expect(native.calls).toEqual(['attach 1', 'detach 1', 'close 1']);
    expect(admission.global()).toMatchObject({ connections: 0, streams: 0 });
    expect(slab.streamsInUse).toBe(0);
    expect(notebook.notes).toEqual([
      'stream_started /live/cam1',
      'stream_ended /live/cam1 connection closed',
    ]);
  });

  it('is closed with a receipt when the door let it in and admission does not', async () => {
    const { native, notebook } = await open({ global: { max_connections: 1 } });
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam2');
    expect(native.calls).toEqual(['attach 1', 'close 2']);
    expect(notebook.written).toMatchObject([
      { action: 'refuse', reason: 'global_connections', protocol: 'srt', path: null },
    ]);
    native.closed(2, 'local');
    expect(srt.server.connections).toBe(1);
  });

  it('that publish refuses is closed, and its connection is given back when it is closed', async () => {
    const { native, notebook, admission } = await open({ maxStreams: 1 });
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam2');
    expect(native.calls).toEqual(['attach 1', 'close 2']);
    expect(notebook.written).toMatchObject([{ reason: 'client_streams', path: '/live/cam2' }]);
    expect(admission.global().connections).toBe(2);
    native.closed(2, 'local');
    expect(admission.global().connections).toBe(1);
  });

  it('of a priority that is being shed is closed at accept, with what it is told in the receipt', async () => {
    const { native, notebook, pressure, admission } = await open();
    pressure.answer = ({ path }) => (path === '/live/cam1' ? refusal('shed', path, 24_000) : null);
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam2');
    expect(native.calls).toEqual(['close 1', 'attach 2']);
    expect(paths()).toEqual(['/live/cam2']);
    expect(notebook.written).toMatchObject([
      { action: 'refuse', reason: 'shed', path: '/live/cam1', retryAfterMs: 24_000 },
    ]);
    expect(pressure.asked.map(({ protocol }) => protocol)).toEqual(['srt', 'srt']);
    native.closed(1, 'local');
    expect(admission.global()).toMatchObject({ connections: 1, streams: 1 });
  });

  it('gives its reservation back however it went', async () => {
    const { native, pressure } = await open();
    native.accepted(1, 'cam1');
    native.gone.add(2);
    native.accepted(2, 'cam2');
    expect(pressure.held).toBe(1);
    native.closed(1, 'broken');
    expect(pressure.held).toBe(0);
  });

  it('that went while it was let in leaves nothing behind', async () => {
    const { native, slab } = await open();
    native.gone.add(1);
    native.accepted(1, 'cam1');
    expect(paths()).toEqual([]);
    native.closed(1);
    expect([slab.streamsInUse, srt.admission.global().connections]).toEqual([0, 0]);
  });

  it('that is cut is detached before its row is given to another', async () => {
    const { native, desk, slab } = await open();
    native.accepted(1, 'cam1');
    const released = vi
      .spyOn(slab, 'releaseStream')
      .mockImplementation(() => void native.calls.push('release'));
    desk.cut(srt.registry.at('/live/cam1')!, { reason: 'kicked', detail: 'x', cooldownMs: 0 }, 1);
    expect(released).toHaveBeenCalledOnce();
    expect(native.calls).toEqual(['attach 1', 'detach 1', 'close 1', 'release']);
  });

  it('has its figures read now and then, and the counts of those that are gone stay counted', async () => {
    const { native, server } = await open();
    native.accepted(1, 'cam1');
    native.statsOf = (out) => {
      out.set([12.345, 1000, 20, 18, -3, 80, 9000, 120, 2, 0, 1280, 720, 32, 1, 0]);
      return true;
    };
    server.round(1e9);
    const stream = srt.registry.at('/live/cam1')!;
    expect(stream.connection.transport()).toEqual({
      rtt_ms: 12.35,
      loss: 0.01998,
      retransmitted: 18,
      lost: 20,
      dropped: 1,
      receive_buffer_ms: 80,
      latency_ms: 120,
      continuity_errors: 2,
      encryption_bits: 256,
    });
    expect([stream.width, stream.height]).toEqual([1280, 720]);
    native.statsOf = (out) => {
      out[SRT_STATS.RECEIVED] = 1;
      return false;
    };
    const counted = { received: 1000, lost: 20, retransmitted: 18, dropped: 1, continuityErrors: 2 };
    expect(server.stats().counts).toEqual(counted);
    native.closed(1);
    expect(server.stats().counts).toEqual(counted);
  });
});

describe('a publisher that comes back', () => {
  it('waits for the stream it left behind to fall silent, and takes it over', async () => {
    const { native, notebook } = await open();
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam1');
    expect(native.calls).toEqual(['attach 1']);
    expect(notebook.written).toEqual([]);
    later(600);
    await vi.waitFor(() => expect(native.attached.has(2)).toBe(true));
    expect(native.calls).toEqual(['attach 1', 'detach 1', 'close 1', 'attach 2']);
    expect(notebook.written).toMatchObject([{ action: 'cut', reason: 'stream_duplicate' }]);
    native.closed(1, 'local');
    expect(paths()).toEqual(['/live/cam1']);
  });

  it('is refused as a duplicate when that stream lives on', async () => {
    const { native, notebook } = await open();
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam1');
    const stream = srt.registry.at('/live/cam1')!;
    later(5_000);
    vi.spyOn(stream, 'silentMs').mockReturnValue(20);
    await vi.waitFor(() =>
      expect(notebook.written).toMatchObject([{ action: 'refuse', reason: 'stream_duplicate' }]),
    );
    expect(native.calls).toEqual(['attach 1', 'close 2']);
  });

  it('leaves nothing behind when it goes while it waits', async () => {
    const { native, notebook } = await open();
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam1');
    native.closed(2);
    later(600);
    native.accepted(3, 'other');
    expect(notebook.written).toEqual([]);
    expect(srt.admission.global()).toMatchObject({ connections: 2, streams: 2 });
  });

  it('does not wait for the stream of another', async () => {
    const { native, notebook } = await open();
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam1', { ip: '192.0.2.11' });
    expect(notebook.written).toMatchObject([{ reason: 'stream_duplicate', ip: '192.0.2.11' }]);
  });
});

describe('a player', () => {
  it('is seated at a stream, and its place is free again when it leaves', async () => {
    const { native, playback } = await open();
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam1', { play: true });
    expect(playback.stats().byProtocol.srt).toBe(1);
    native.accepted(3, 'cam1', { play: true });
    expect(native.calls).toEqual(['attach 1', 'close 3']);
    native.closed(2);
    expect([playback.stats().players, srt.admission.global().connections]).toEqual([0, 1]);
  });

  it('is closed with a receipt when nobody publishes any more what it asked for', async () => {
    const { native, notebook } = await open();
    native.accepted(2, 'cam1', { play: true });
    expect(native.calls).toEqual(['close 2']);
    expect(srt.admission.global().connections).toBe(0);
    expect(notebook.written).toMatchObject([
      { reason: 'protocol_error', path: null, detail: expect.stringContaining('nobody publishes') },
    ]);
  });

  it('of a stream that comes over RTMP is told in its receipt how to play that', async () => {
    const { native, notebook, playback } = await open();
    playback.open('/live/cam1', { replay: () => {}, onPlayers: () => {} });
    native.accepted(2, 'cam1', { play: true });
    expect(native.calls).toEqual(['close 2']);
    expect(notebook.written).toMatchObject([
      { reason: 'protocol_error', path: '/live/cam1', detail: expect.stringContaining('comes over RTMP') },
    ]);
    expect(srt.server.stats().refused).toEqual({ no_such_stream: 1 });
  });

  it('is closed when its stream ends', async () => {
    const { native } = await open();
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam1', { play: true });
    native.closed(1);
    expect(native.calls).toContain('close 2');
  });
});

describe('the server', () => {
  it('opens every listener with its own passphrase, and takes a new one without a restart', async () => {
    const listeners = [
      { host: '127.0.0.1', port: 9000, latency: 120, passphrase: 'first-passphrase' },
      { host: '::1', port: 9001, latency: 300, passphrase: null },
    ];
    const { natives, server } = await open({ listeners });
    expect(natives.map(({ options }) => [options.host, options.port, options.latencyMs])).toEqual([
      ['127.0.0.1', 9000, 120],
      ['::1', 9001, 300],
    ]);
    expect(natives.map(({ rules }) => rules?.passphrase)).toEqual(['first-passphrase', '']);
    srt.config = { listeners: [{ ...listeners[0]!, passphrase: 'second-passphrase' }, listeners[1]!] };
    server.configure();
    expect(natives.map(({ rules }) => rules?.passphrase)).toEqual(['second-passphrase', '']);
  });

  it('tells the door soon after something has changed, and only then', async () => {
    const { native, server } = await open({ global: { max_streams: 1 } });
    expect([native.version, native.entries]).toEqual([1, []]);
    native.accepted(1, 'cam1');
    await vi.waitFor(() => expect(native.version).toBe(2));
    expect(native.entries).toEqual([
      { kind: 'path', name: '/live/cam1', code: 1409, until: Infinity, ownerKey: '192.0.2.10 /live/cam1' },
      { kind: 'publishers', code: 1402, until: Infinity },
    ]);
    server.round(performance.now());
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(native.version).toBe(2);
    native.closed(1);
    await vi.waitFor(() => expect(native.entries).toEqual([]));
  });

  it('says what is missing when there is no libsrt', async () => {
    srt = new FakeSrt({}, false);
    const failed = await srt.server.listen().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(HeadgateError);
    expect(failed).toMatchObject({
      code: 'HG_SRT_MISSING',
      message: expect.stringContaining('libsrt is not there'),
    });
  });

  it('warns of a system that filters nothing and has little room', async () => {
    const { logged } = await open({ system: { receiveBufferBytes: 425_984, guarded: false } });
    expect(logged).toEqual([
      expect.stringContaining('warn SRT packets that can crash libsrt are not filtered out'),
      expect.stringContaining('sysctl -w net.core.rmem_max'),
    ]);
    await srt.server.close();
    expect((await open()).logged).toEqual([]);
  });

  it('writes what libsrt says into the log, and counts what got lost on the way', async () => {
    const { native, logged, server } = await open();
    native.tell(
      { type: 'log', level: 'warn', text: 'a line of libsrt' },
      { type: 'lost', events: 3, mediaBytes: 1316 },
    );
    expect(logged).toEqual(['warn a line of libsrt']);
    expect(server.stats()).toMatchObject({ lostEvents: 3, lostMediaBytes: 1316 });
  });

  it('plays what came before a publisher left in the same batch', async () => {
    const { native } = await open();
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam1', { play: true });
    native.media(1, 'last words', SRT_MEDIA.RANDOM_ACCESS, { type: 'closed', id: 1, how: 'peer' });
    expect(native.sent.join('')).toBe('last words');
    expect(paths()).toEqual([]);
  });

  it('goes on with a batch when something in it fails, and says so', async () => {
    const { native, desk, logged, admission } = await open();
    vi.spyOn(desk, 'publish').mockImplementationOnce(() => {
      throw new Error('a bug');
    });
    const goes = { type: 'closed', how: 'peer' } as const;
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam2');
    native.accepted(3, 'cam2', { play: true });
    vi.spyOn(srt.playback.get('/live/cam2')!.packets!, 'deliver').mockImplementationOnce(() => {
      throw new Error('another');
    });
    native.media(2, 'x', 0, { ...goes, id: 1 }, { ...goes, id: 2 }, { ...goes, id: 3 });
    expect(logged.map((line) => line.split(' ')[0])).toEqual(['error', 'error']);
    expect(paths()).toEqual([]);
    expect(admission.global()).toMatchObject({ connections: 0, streams: 0 });
  });

  it('closes what is left when it stops', async () => {
    const { native, server, admission } = await open();
    native.accepted(1, 'cam1');
    native.accepted(2, 'cam1', { play: true });
    await server.close();
    expect(native.calls).toContain('stop');
    expect(admission.global()).toMatchObject({ connections: 0, streams: 0 });
    expect(srt.slab.streamsInUse).toBe(0);
  });
});
