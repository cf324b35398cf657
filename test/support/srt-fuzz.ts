import type { Draws } from './draws.ts';
import { be } from './rtmp-wire.ts';
import type { CallOptions, SrtCaller } from './srt-client.ts';
import {
  CONTROL,
  controlPacket,
  dataPacket,
  EXTENSION,
  extension,
  helloExtension,
  keyMaterial,
  lossList,
  streamIdExtension,
} from './srt-wire.ts';
import type { VideoTs } from './ts-wire.ts';

/** Words for callers that speak SRT badly, drawn from a seed. */

const EDGES = [0, 1, 2, 0xff, 0xfff, 0x1000, 0x1001, 0x1fff, 0x3fffffff, 0x7fffffff, 0x80000000, 0xffffffff];

const bytes = (draws: Draws, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => draws.whole(0, 255)));

const number = (draws: Draws): number => (draws.chance(0.6) ? draws.pick(EDGES) : draws.whole(0, 0xffffffff));

const STREAM_IDS = [
  'live/',
  '#!::',
  'publish:',
  'r=live/x',
  '#!::r=live/x,m=',
  'live/x?key=',
  '\0',
  '/../',
  ',,=,',
  'h=',
  '%00',
  '::',
];

function streamId(draws: Draws): Buffer | string {
  if (draws.chance(0.75))
    return `#!::r=live/fuzz-${draws.whole(0, 20)},m=${draws.chance(0.85) ? 'publish' : 'request'}`;
  if (draws.chance(0.5)) return bytes(draws, draws.whole(1, 40));
  return Array.from({ length: draws.whole(1, 6) }, () => draws.pick(STREAM_IDS)).join('');
}

/** How a caller introduces itself: mostly soundly, or few would be let in. */
export function introduction(draws: Draws): Omit<CallOptions, 'port'> {
  const id = streamId(draws);
  if (draws.chance(0.6)) return { streamId: id, latencyMs: draws.pick([0, 20, 120, 60_000]) };
  const field = draws.pick([
    'version',
    'encryption',
    'extensionField',
    'sequence',
    'mss',
    'flowWindow',
    'type',
    'socketId',
    'cookie',
  ] as const);
  const isShort = field === 'encryption' || field === 'extensionField';
  const nonsense = { [field]: isShort ? number(draws) & 0xffff : number(draws) };
  if (draws.chance(0.5)) return { streamId: id, conclusion: nonsense };
  const blocks = [
    helloExtension(draws.whole(0, 0xffff), number(draws)),
    streamIdExtension(id),
    extension(EXTENSION.KMREQ, keyMaterial('0123456789')),
  ];
  while (draws.chance(0.6))
    blocks.push(
      extension(
        draws.whole(0, 9),
        bytes(draws, draws.whole(0, 40)),
        draws.chance(0.3) ? draws.whole(0, 400) : undefined,
      ),
    );
  return {
    streamId: id,
    extensions: damaged(draws, Buffer.concat(blocks)),
    conclusion: { extensionField: draws.whole(0, 7) },
  };
}

/** One thing said on a connection, or to nobody if there is none. */
export function say(draws: Draws, caller: SrtCaller, video: VideoTs): void {
  const chance = draws.unit();
  if (chance < 0.4) caller.send(media(draws, video));
  else if (chance < 0.75) caller.raw(control(draws, caller));
  else if (chance < 0.9)
    caller.raw(
      damaged(draws, draws.chance(0.5) ? control(draws, caller) : data(draws, caller, media(draws, video))),
    );
  else caller.raw(bytes(draws, draws.whole(0, 80)));
}

function media(draws: Draws, video: VideoTs): Buffer {
  const ts = video.frame(draws.whole(20, 900), draws.chance(0.1)).subarray(0, 1_316);
  return draws.chance(0.7) ? ts : damaged(draws, ts);
}

function data(draws: Draws, caller: SrtCaller, payload: Buffer): Buffer {
  return dataPacket({
    sequence: caller.sequence + draws.pick([0, 1, 10, 1_000, 8_192, -1, 0x3fffffff]),
    message: draws.whole(0, 0x3ffffff),
    timestamp: draws.chance(0.5) ? caller.timestamp : number(draws),
    destination: caller.peerId,
    payload,
    position: draws.whole(0, 3),
    inOrder: draws.chance(0.5),
    key: draws.whole(0, 3),
    retransmitted: draws.chance(0.5),
  });
}

function control(draws: Draws, caller: SrtCaller): Buffer {
  const type = draws.chance(0.9)
    ? draws.pick([...Object.values(CONTROL).filter((known) => known !== CONTROL.SHUTDOWN), 9])
    : CONTROL.SHUTDOWN;
  const near = (): number => (caller.sequence + draws.whole(-100, 10_000)) >>> 0;
  const bodies = [
    () =>
      Buffer.concat(
        Array.from({ length: draws.whole(0, 10) }, () => be(draws.chance(0.5) ? near() : number(draws), 4)),
      ),
    () => lossList([near(), near()], near()),
    () => bytes(draws, draws.whole(0, 120)),
    () => keyMaterial('0123456789', draws.pick([16, 24, 32])),
  ];
  return controlPacket({
    type,
    subtype: type === CONTROL.USER ? draws.whole(0, 9) : 0,
    info: draws.chance(0.5) ? near() : number(draws),
    timestamp: draws.chance(0.5) ? caller.timestamp : number(draws),
    destination: draws.chance(0.9) ? caller.peerId : number(draws),
    body: draws.pick(bodies)(),
  });
}

/** Some bytes changed, and now and then the end cut off. */
function damaged(draws: Draws, sound: Buffer): Buffer {
  const out = Buffer.from(sound);
  for (let n = draws.whole(1, 4); n > 0 && out.length > 0; n -= 1)
    out[draws.whole(0, out.length - 1)] = draws.whole(0, 255);
  return draws.chance(0.2) ? out.subarray(0, draws.whole(0, out.length)) : out;
}
