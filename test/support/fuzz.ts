import type { Draws } from './draws.ts';
import { type Amf, amf, be, chunksOf, Ecma, makeC1 } from './rtmp-wire.ts';

/** Words for clients that speak RTMP badly, drawn from a seed. */

const COMMANDS = [
  'connect',
  'createStream',
  'publish',
  'play',
  'FCPublish',
  'releaseStream',
  'FCUnpublish',
  'deleteStream',
  'closeStream',
  'pause',
  '__proto__',
  '',
  '\u001b[0m',
];
const TYPES = [0, 1, 2, 3, 4, 5, 6, 8, 9, 15, 16, 17, 18, 19, 20, 22, 255];
/** What they announce, and mostly keep to. */
const CHUNK_SIZE = 4_096;
const TIMES = [0, 1, 40, 0xfffffe, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xffffffff];

/** Handshake and the road to publish, each step now and then left out, doubled or damaged. */
export function* politeWords(draws: Draws): Generator<Buffer> {
  const c1 = makeC1(draws.pick(['simple', 'digest0', 'digest1'] as const));
  yield Buffer.concat([Buffer.from([draws.chance(0.97) ? 3 : draws.whole(0, 255)]), c1]);
  yield bytes(draws, 1_536);
  const name = `fuzz-${draws.whole(0, 30)}`;
  const steps = [
    () => command('connect', 1, [{ app: 'live', tcUrl: 'rtmp://127.0.0.1/live' }], 0),
    () => control(1, be(CHUNK_SIZE, 4)),
    () => command('createStream', 2, [null], 0),
    () =>
      command(
        draws.chance(0.8) ? 'publish' : 'play',
        3,
        [null, draws.chance(0.9) ? name : 'bystander', 'live'],
        1,
      ),
  ];
  for (const step of steps) {
    if (draws.chance(0.03)) continue;
    const word = step();
    yield draws.chance(0.05) ? damaged(draws, word) : word;
    if (draws.chance(0.02)) yield word;
  }
}

/** Anything: sound messages with odd content, damaged ones, and plain noise. */
export function nextRudeness(draws: Draws): Buffer {
  const chance = draws.unit();
  if (chance < 0.45) return media(draws);
  if (chance < 0.6)
    return command(
      draws.pick(COMMANDS),
      draws.pick([0, 1, 2, Number.NaN, -1, 1e308]),
      values(draws, 3),
      draws.whole(0, 3),
    );
  if (chance < 0.75) return message(draws, draws.pick(TYPES), bytes(draws, draws.whole(0, 300)));
  if (chance < 0.85) return damaged(draws, media(draws));
  if (chance < 0.95)
    return control(
      draws.pick([1, 2, 3, 5]),
      be(draws.chance(0.9) ? CHUNK_SIZE : draws.pick([0, 1, 2, 5, 6, 128, 0xffffffff]), 4),
    );
  return bytes(draws, draws.whole(1, 2_000));
}

function media(draws: Draws): Buffer {
  const type = draws.pick([8, 9, 9, 9, 15, 18, 22]);
  if (type === 18 && draws.chance(0.5)) {
    return message(
      draws,
      18,
      amf(
        '@setDataFrame',
        'onMetaData',
        new Ecma({ width: draws.pick<Amf>([1, 'x', null, Number.NaN]), more: values(draws, 2) }),
      ),
    );
  }
  if (type === 22) return message(draws, 22, aggregate(draws));
  const head = Buffer.from([draws.whole(0, 255), draws.whole(0, 7), 0, 0, 0]);
  return message(draws, type, Buffer.concat([head, bytes(draws, draws.pick([0, 1, 20, 200, 3_000]))]));
}

function aggregate(draws: Draws): Buffer {
  const tags = Array.from({ length: draws.whole(0, 5) }, () => {
    const body = bytes(draws, draws.whole(0, 50));
    const length = draws.chance(0.9) ? body.length : draws.whole(0, 0xffffff);
    return Buffer.concat([
      be(draws.pick([8, 9, 18, 20, 22]), 1),
      be(length, 3),
      be(draws.whole(0, 0xffffff), 3),
      be(0, 4),
      body,
      be(length + 11, 4),
    ]);
  });
  return Buffer.concat(tags);
}

function message(draws: Draws, type: number, payload: Buffer): Buffer {
  const chunks = chunksOf({
    type,
    payload,
    streamId: draws.pick([0, 1, 1, 1, 2, 0xffffffff]),
    timestamp: draws.pick(TIMES),
    csid: draws.pick([2, 3, 4, 5, 6, 63, 64, 319, 320, 65_599]),
    fmt: draws.chance(0.9) ? 0 : draws.pick([1, 2, 3] as const),
    chunkSize: draws.chance(0.97) ? CHUNK_SIZE : 128,
    ...(draws.chance(0.02) ? { declaredLength: draws.whole(0, 0xffffff) } : {}),
  });
  return Buffer.concat(draws.chance(0.02) ? chunks.slice(1) : chunks);
}

function command(name: string, transactionId: number, args: (Amf | Ecma)[], streamId: number): Buffer {
  return Buffer.concat(chunksOf({ type: 20, csid: 3, streamId, payload: amf(name, transactionId, ...args) }));
}

function control(type: number, payload: Buffer): Buffer {
  return Buffer.concat(chunksOf({ type, csid: 2, payload }));
}

function values(draws: Draws, depth: number): Amf[] {
  return Array.from({ length: draws.whole(0, 4) }, (): Amf => {
    if (depth > 0 && draws.chance(0.3))
      return draws.chance(0.5)
        ? values(draws, depth - 1)
        : { a: values(draws, depth - 1), ['__proto__x']: 1 };
    return draws.pick<Amf>([null, true, 0, -1, 1e308, '', 'x'.repeat(300), 'live', bytes(draws, 5)]);
  });
}

/** A byte changed, cut out or put in. */
function damaged(draws: Draws, sound: Buffer): Buffer {
  const at = draws.whole(0, sound.length - 1);
  const changed = draws.pick([1, 0, 2]);
  const put = bytes(draws, changed);
  return Buffer.concat([sound.subarray(0, at), put, sound.subarray(at + 1)]);
}

function bytes(draws: Draws, length: number): Buffer {
  const out = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i += 1) out[i] = draws.whole(0, 255);
  return out;
}
