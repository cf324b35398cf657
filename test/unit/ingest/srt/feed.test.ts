import { describe, expect, it } from 'vitest';
import { type MediaMessage, Playback } from '../../../../src/ingest/playback/playback.ts';
import { SrtFeed } from '../../../../src/ingest/srt/feed.ts';
import { messageSources, type TsDemuxer } from '../../../../src/ingest/srt/flv-bridge.ts';
import { srtOutput } from '../../../../src/ingest/srt/player-output.ts';
import { IO } from '../../../../src/native/binding.ts';
import { RECORD_FLAG } from '../../../../src/native/outbox.ts';
import { SRT_MEDIA } from '../../../../src/native/srt.ts';
import { parseFlv } from '../../../support/flv.ts';

const PATH = '/live/cam1';
const VIDEO = 9;
const AUDIO = 8;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

interface Made {
  readonly type: number;
  readonly flags: number;
}

/** What the letters of a payload become: V and A are sequence headers, K and f frames, a audio. */
const MESSAGES: Readonly<Record<string, Made>> = {
  V: { type: VIDEO, flags: RECORD_FLAG.HEADER },
  A: { type: AUDIO, flags: RECORD_FLAG.HEADER },
  K: { type: VIDEO, flags: RECORD_FLAG.KEYFRAME },
  f: { type: VIDEO, flags: 0 },
  a: { type: AUDIO, flags: 0 },
};

/** Stands for the native demuxer: each letter it reads is a message, two at the most with one call. */
class LetterDemuxer implements TsDemuxer {
  static made = 0;
  readonly #outbox: Uint8Array;
  readonly #io: Float64Array;
  #supported = -1;

  constructor(outbox: Uint8Array, io: Float64Array) {
    LetterDemuxer.made += 1;
    this.#outbox = outbox;
    this.#io = io;
  }

  supported(): number {
    return this.#supported;
  }

  feed(bytes: Uint8Array, offset: number, length: number): void {
    const taken = Buffer.from(bytes.subarray(offset, offset + Math.min(length, 2))).toString();
    if (taken.includes('+')) this.#supported = 1;
    if (taken.includes('-')) this.#supported = 0;
    this.#outbox.fill(0, 0, 64);
    const letters = [...taken].filter((letter) => letter in MESSAGES);
    for (const [n, letter] of letters.entries()) {
      const { type, flags } = MESSAGES[letter] as Made;
      const view = new DataView(this.#outbox.buffer, n * 32);
      view.setUint8(0, type);
      view.setUint8(1, flags);
      view.setUint32(4, 1, true);
      this.#outbox[n * 32 + 24] = letter.charCodeAt(0);
    }
    this.#io[IO.EVENTS] = letters.length;
    this.#io[IO.CONSUMED] = taken.length;
  }
}

class FlvTap {
  readonly protocol = 'http-flv';
  readonly writes: Buffer[] = [];
  finished = false;

  write(bytes: Buffer): void {
    this.writes.push(bytes);
  }

  queuedBytes(): number {
    return 0;
  }

  finish(): void {
    this.finished = true;
  }

  destroy(): void {}

  /** what was played but onMetaData, as letters */
  get letters(): string {
    return parseFlv(Buffer.concat(this.writes))
      .tags.filter(({ type }) => type !== 18)
      .map(({ payload }) => payload.toString())
      .join('');
  }
}

function stage(tables = '+', codecs = { video: 'h264', audio: 'aac' }) {
  LetterDemuxer.made = 0;
  const playback = new Playback({ maxPlayers: 10, maxQueueBytes: 1_000 }, { info: () => {} });
  const feed = new SrtFeed({
    tables: () => text(tables),
    codecs: () => codecs,
    demuxer: messageSources(LetterDemuxer),
  });
  let players = 0;
  const broadcast = playback.open(PATH, {
    replay: (sink) => feed.replay(sink),
    onPlayers: (count) => {
      players = count;
    },
    transportStream: feed,
  });
  feed.playOn(broadcast);
  return {
    playback,
    feed,
    broadcast,
    players: () => players,
    /** hands payload over as the listener does: only while there are players */
    send: (payload: string, flags = 0) => {
      if (players > 0) feed.media(text(payload), flags);
    },
    watch: () => {
      const tap = new FlvTap();
      return { tap, player: playback.playFlv(PATH, tap, () => {}) };
    },
  };
}

describe('players of messages on an SRT stream', () => {
  it('get metadata that tells the tracks, headers, and media from the keyframe on', () => {
    const { watch, send } = stage();
    const { tap } = watch();
    send('VAaf');
    send('Kafa');
    expect(tap.letters).toBe('VAaKafa');
    expect(parseFlv(Buffer.concat(tap.writes))).toMatchObject({
      hasAudio: true,
      hasVideo: true,
      error: null,
    });
    expect(parseFlv(Buffer.concat(tap.writes)).tags[0]?.type).toBe(18);
  });

  it.each([
    [{ video: '', audio: 'aac' }, 'Aa', { hasAudio: true, hasVideo: false }],
    [{ video: 'h264', audio: 'opus' }, 'VK', { hasAudio: false, hasVideo: true }],
  ])('are promised only what they will get: %o', (codecs, payload, promised) => {
    const { watch, send } = stage('+', codecs);
    const { tap } = watch();
    send(payload);
    expect(parseFlv(Buffer.concat(tap.writes))).toMatchObject(promised);
  });

  it('that join later get the headers, and start at their next keyframe, audio included', () => {
    const { watch, send } = stage();
    watch();
    send('VAKfafV');
    const { tap } = watch();
    send('ffaKaf');
    expect(tap.letters).toBe('VAKaf');
    expect(parseFlv(Buffer.concat(tap.writes))).toMatchObject({ hasAudio: true, hasVideo: true });
  });

  it('that join later a stream without video hear it at once', () => {
    const { watch, send } = stage('+', { video: '', audio: 'aac' });
    watch();
    send('Aa');
    const { tap } = watch();
    send('a');
    expect(tap.letters).toBe('Aa');
  });

  it('cost nothing once the last has left, and start afresh after that', () => {
    const { watch, send, feed } = stage();
    const first = watch();
    send('VAKf');
    first.player?.end();
    const replayed: MediaMessage[] = [];
    feed.replay((message) => replayed.push(message));
    expect(replayed).toEqual([]);
    const { tap } = watch();
    send('fVK');
    expect(tap.letters).toBe('VK');
  });

  it('make no demuxer run while there are only players of packets', () => {
    const { playback, send, players } = stage();
    const sent: string[] = [];
    const sender = {
      send: (_id: number, bytes: Uint8Array) => sent.push(Buffer.from(bytes).toString()) > 0,
      close: () => {},
    };
    playback.playTs(PATH, srtOutput(sender, 7), () => {});
    send('VK', SRT_MEDIA.RANDOM_ACCESS);
    expect([LetterDemuxer.made, players(), sent]).toEqual([0, 1, ['+', 'VK']]);
  });

  it('are refused when the tables tell of codecs that messages cannot carry', () => {
    const { playback } = stage('-');
    expect(playback.refusal(PATH, 'messages')).toBe('not_as_messages');
    expect(playback.refusal(PATH, 'packets')).toBeNull();
  });

  it('are told the end when that turns out later', () => {
    const { watch, send, players } = stage('');
    const { tap } = watch();
    send('-');
    expect([tap.finished, players()]).toEqual([true, 0]);
  });

  it('may be dropped as slow in the midst of a payload, the last of them too', () => {
    const { playback, send, players } = stage();
    const ends: string[] = [];
    const stuck = {
      protocol: 'http-flv' as const,
      write: () => {},
      queuedBytes: () => 1_000_000,
      finish: () => {},
      destroy: () => {},
    };
    playback.playFlv(PATH, stuck, (end) => ends.push(end));
    send('VKff');
    expect([ends, players()]).toEqual([['slow'], 0]);
  });
});

describe('a feed', () => {
  it('makes players of packets start over after payload was lost', () => {
    const { playback, send } = stage('T');
    let got = '';
    const sender = {
      send: (_id: number, bytes: Uint8Array) => {
        got += Buffer.from(bytes).toString();
        return true;
      },
      close: () => {},
    };
    playback.playTs(PATH, srtOutput(sender, 7), () => {});
    send('1', SRT_MEDIA.RANDOM_ACCESS);
    send('2', SRT_MEDIA.GAP);
    send('3', SRT_MEDIA.RANDOM_ACCESS | SRT_MEDIA.GAP);
    send('4');
    expect(got).toBe('T1T34');
  });

  it('that has ended takes what still comes, and plays nothing', () => {
    const { watch, feed, broadcast } = stage();
    const { tap } = watch();
    broadcast.end();
    feed.end();
    feed.media(text('VK'), SRT_MEDIA.RANDOM_ACCESS);
    expect([tap.letters, tap.finished]).toEqual(['', true]);
  });
});

describe('an SRT player', () => {
  it.each(['unpublished', 'slow'] as const)('has its connection closed when it ends as %s', (end) => {
    const { playback, broadcast } = stage();
    const closed: number[] = [];
    const sender = { send: () => false, close: (id: number) => void closed.push(id) };
    const ends: string[] = [];
    playback.playTs(PATH, srtOutput(sender, 7), (how) => ends.push(how));
    if (end === 'unpublished') broadcast.end();
    else for (let i = 0; i < 3; i += 1) broadcast.packets?.deliver(new Uint8Array(800), true);
    expect([closed, ends]).toEqual([[7], [end]]);
  });

  it('that left by itself is not closed again', () => {
    const { playback } = stage();
    const closed: number[] = [];
    const sender = { send: () => true, close: (id: number) => void closed.push(id) };
    playback.playTs(PATH, srtOutput(sender, 7), () => {})?.end();
    expect([closed, playback.stats().players]).toEqual([[], 0]);
  });
});
