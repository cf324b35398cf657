import { rmSync } from 'node:fs';
import { setInterval as every } from 'node:timers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { OPEN_DOORS } from '../support/bystander.ts';
import type { ClientOptions, RtmpClient } from '../support/rtmp-client.ts';
import { amf, be, chunksOf, makeC1 } from '../support/rtmp-wire.ts';
import { listenTlsLines } from '../support/tls-pair.ts';

/** Strangers who take their time: every stage has an end, and who is stuck in it is told or written down. */

const CONFIG = `${OPEN_DOORS}\ntimeouts: { handshake: 1s, publish: 1s, idle: 2s }`;

/** A stage's timeout, how often it is looked at, the second of lingering, and a busy machine, ms. */
const CLOSED_WITHIN_MS = 8_000;

const tlsPair = listenTlsLines();
let arena: Arena;
const dribbles: NodeJS.Timeout[] = [];

beforeAll(async () => {
  // The bystander publishes over TLS, beside those who abuse it.
  arena = await Arena.open(
    { config: CONFIG, listen: tlsPair.listen },
    (server) => `rtmps://127.0.0.1:${server.ports.rtmps}/live/bystander`,
  );
});
afterEach(async () => {
  for (const timer of dribbles.splice(0)) clearInterval(timer);
  await arena.unharmed();
});
afterAll(async () => {
  await arena.close();
  rmSync(tlsPair.folder, { recursive: true, force: true });
});

/** A byte now and then, for ever. */
function dribble(client: RtmpClient, bytes: Buffer): void {
  let at = 0;
  dribbles.push(every(() => client.write(bytes.subarray(at, ++at)), 50));
}

const bare = (options: Partial<ClientOptions> = {}): Promise<RtmpClient> =>
  arena.attacker({ handshake: 'none', ...options });
const C0C1 = Buffer.concat([Buffer.from([3]), makeC1('simple')]);

describe('before the handshake is done', () => {
  test('silence, dribbling, half of it and all but C2 end after timeouts.handshake', async () => {
    const stuck = await Promise.all([
      bare(),
      bare(),
      bare(),
      bare(),
      bare({ tls: true, port: arena.server.ports.rtmps }),
    ]);
    const [, dribbling, half, noC2] = stuck as [RtmpClient, RtmpClient, RtmpClient, RtmpClient, RtmpClient];
    dribble(dribbling, C0C1);
    half.write(C0C1.subarray(0, 700));
    noC2.write(C0C1, Buffer.alloc(1_535));
    for (const client of stuck) {
      await client.closes(CLOSED_WITHIN_MS);
      const { detail, action } = await arena.receipt(client, 'handshake_timeout');
      expect({ detail, action }).toEqual({
        detail: 'the RTMP handshake was not finished in time',
        action: 'refuse',
      });
    }
  });

  test.each<[string, Buffer, RegExp]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /not RTMP: the first byte is 71/],
    ['a TLS hello', Buffer.from([0x16, 3, 1, 2, 0]), /not RTMP: the first byte is 22/],
    ['zeroes', Buffer.alloc(5_000), /not RTMP: the first byte is 0/],
    ['RTMPE', Buffer.concat([Buffer.from([6]), Buffer.alloc(1_536)]), /RTMPE is not supported/],
  ])('%s is recognised at its first byte', async (_what, bytes, detail) => {
    const client = await bare();
    client.write(bytes);
    await client.closes();
    await arena.receipt(client, 'protocol_error', detail);
    expect(client.bytesIn).toBe(0);
  });

  test('C1 with random digests, versions and times is answered whatever it holds', async () => {
    const clients = await Promise.all(Array.from({ length: 64 }, () => bare()));
    for (const [i, client] of clients.entries()) {
      const c1 = makeC1('simple')
        .fill(i * 4, 4, 8)
        .fill(0xff, 8, 12)
        .fill(255 - i, 772, 776);
      client.write(
        Buffer.from([3]),
        c1,
        Buffer.alloc(1_536, i),
        ...chunksOf({ type: 20, payload: Buffer.alloc(0) }),
      );
    }
    await Promise.all(clients.map((client) => client.closes()));
    for (const client of clients) expect(client.bytesIn).toBeGreaterThanOrEqual(3_073);
  });
});

describe('on the TLS port', () => {
  /** A ClientHello that promises more than it brings. */
  const hello = Buffer.concat([
    Buffer.from([0x16, 3, 1]),
    be(512, 2),
    Buffer.from([1]),
    be(508, 3),
    Buffer.from([3, 3]),
    Buffer.alloc(60, 7),
  ]);

  test('silence and half a hello end after timeouts.handshake, with a receipt', async () => {
    const port = arena.server.ports.rtmps;
    const stuck = await Promise.all([bare({ port }), bare({ port }), bare({ port })]);
    stuck[1]?.write(hello);
    dribble(stuck[2] as RtmpClient, hello);
    for (const client of stuck) {
      await client.closes(CLOSED_WITHIN_MS);
      expect(await arena.receipt(client, 'handshake_timeout', /TLS/)).toMatchObject({
        action: 'refuse',
        protocol: 'rtmps',
      });
    }
  });

  test.each<[string, Buffer]>([
    ['plain RTMP', C0C1],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['zeroes', Buffer.alloc(10_000)],
    ['a record of alerts', Buffer.alloc(7_000, Buffer.from([0x15, 3, 3, 0, 2, 1, 90]))],
    ['a hello of garbage', Buffer.concat([Buffer.from([0x16, 3, 1]), be(100, 2), Buffer.alloc(100, 0xff)])],
    [
      'a record longer than records are',
      Buffer.concat([Buffer.from([0x16, 3, 1]), be(0xffff, 2), Buffer.alloc(65_535)]),
    ],
  ])('%s is refused with a receipt', async (_what, bytes) => {
    const client = await bare({ port: arena.server.ports.rtmps });
    client.write(bytes);
    await client.closes();
    expect(await arena.receipt(client, 'protocol_error', /TLS/)).toMatchObject({
      action: 'refuse',
      protocol: 'rtmps',
    });
  });

  test('resets at any moment of the TLS handshake leave nothing behind', async () => {
    for (let length = 0; length <= hello.length; length += 5) {
      const client = await bare({ port: arena.server.ports.rtmps });
      client.write(hello.subarray(0, length));
      client.vanish();
    }
    const client = await bare({ port: arena.server.ports.rtmps, tls: true });
    client.write(C0C1);
    client.vanish();
  });
});

describe('before it publishes', () => {
  test('silence, dribbling, chatter and half a connect end after timeouts.publish, told why', async () => {
    const connect = Buffer.concat(
      chunksOf({ type: 20, payload: amf('connect', 1, { app: 'live', padding: 'x'.repeat(900) }) }),
    );
    const [silent, dribbling, half, chatty, ready] = (await Promise.all(
      Array.from({ length: 5 }, () => arena.attacker()),
    )) as [RtmpClient, RtmpClient, RtmpClient, RtmpClient, RtmpClient];
    dribble(dribbling, connect);
    half.write(connect.subarray(0, 200));
    dribbles.push(
      every(() => chatty.send({ type: 4, csid: 2, payload: Buffer.concat([be(6, 2), be(1, 4)]) }), 50),
    );
    await ready.connect('live');
    await ready.createStream();
    ready.command('FCPublish', [null, 'never']);
    for (const client of [silent, dribbling, half, chatty, ready]) {
      await client.closes(CLOSED_WITHIN_MS);
      await arena.cutFor(client, 'publish_timeout', /neither published nor played in time/);
    }
  });

  test('who has said goodbye and stays is hung up on', async () => {
    const client = await arena.publisher('goodbye');
    client.command('FCUnpublish', [null, 'goodbye']);
    await client.closes(CLOSED_WITHIN_MS);
    expect(await arena.server.receipts(`?key=${client.localAddress}`)).toEqual([]);
  });
});

test('a publisher without media ends after timeouts.idle, whatever else it sends, and its name is free', async () => {
  const [silent, chatty, dribbling] = (await Promise.all(
    ['silent', 'chatty', 'dribbling'].map((name) => arena.publisher(name)),
  )) as [RtmpClient, RtmpClient, RtmpClient];
  dribbles.push(every(() => chatty.command('releaseStream', [null, 'chatty']), 50));
  dribble(
    dribbling,
    Buffer.concat(
      chunksOf({ type: 9, csid: 6, streamId: 1, payload: Buffer.alloc(4_000), chunkSize: 4_096 }),
    ),
  );
  const player = await arena.attacker();
  await player.play('live', 'silent');
  for (const client of [silent, chatty, dribbling]) {
    await client.closes(CLOSED_WITHIN_MS);
    expect(await arena.cutFor(client, 'idle_timeout', /no media arrived/)).toMatchObject({
      action: 'cut',
      retry_after_ms: 0,
    });
  }
  await player.status(({ code }) => code === 'NetStream.Play.UnpublishNotify');
  await player.closes();
  const next = await arena.publisher('silent', { localAddress: silent.localAddress });
  await next.unpublish('silent');
});
