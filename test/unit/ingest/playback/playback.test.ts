import { describe, expect, it } from 'vitest';
import { Playback, type PlaybackLimits, type PlayerEnd } from '../../../../src/ingest/playback/playback.ts';
import { type FlvFile, type FlvTag, flagsOf, isKeyframe, makeClip, parseFlv } from '../../../support/flv.ts';
import { HandPublisher } from '../../../support/hand-publisher.ts';
import { amf, ChunkReader, type ReceivedMessage } from '../../../support/rtmp-wire.ts';

const LIMITS: PlaybackLimits = { maxPlayers: 10, maxQueueBytes: 1_000_000 };
const PATH = '/live/cam1';

/** A player's socket that takes nothing until `read` is called. */
class Tap {
  readonly protocol = 'rtmp';
  readonly ends: PlayerEnd[] = [];
  writes: Buffer[] = [];
  writableLength = 0;
  destroyed = false;
  finished = false;

  write(bytes: Buffer): boolean {
    this.writes.push(bytes);
    this.writableLength += bytes.length;
    return true;
  }

  queuedBytes(): number {
    return this.writableLength;
  }

  read(): void {
    this.writableLength = 0;
  }

  finish(): void {
    this.finished = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  get flv(): FlvFile {
    return parseFlv(Buffer.concat(this.writes));
  }

  get rtmp(): ReceivedMessage[] {
    const reader = new ChunkReader();
    reader.chunkSize = 65_535;
    const messages = reader.push(Buffer.concat(this.writes));
    expect(reader.pendingBytes).toBe(0);
    return messages;
  }
}

interface Stage {
  readonly playback: Playback;
  readonly publisher: HandPublisher;
  watch(): Tap;
  watchRtmp(streamId?: number): Tap;
}

function stage(limits: Partial<PlaybackLimits> = {}, replayBytesMax?: number): Stage {
  const playback = new Playback({ ...LIMITS, ...limits }, { info: () => {} }, replayBytesMax);
  const publisher = new HandPublisher(playback, PATH);
  return {
    playback,
    publisher,
    watch: () => {
      const tap = new Tap();
      expect(playback.playFlv(PATH, tap, (end) => tap.ends.push(end))).not.toBeNull();
      return tap;
    },
    watchRtmp: (streamId = 1) => {
      const tap = new Tap();
      expect(playback.playRtmp(PATH, tap, streamId, (end) => tap.ends.push(end))).not.toBeNull();
      return tap;
    },
  };
}

const video = (timestamp: number, key = false): FlvTag => ({
  type: 9,
  timestamp,
  payload: Buffer.from([key ? 0x17 : 0x27, 1, 0, 0, 0, timestamp & 0xff]),
});
const audio = (timestamp: number): FlvTag => ({
  type: 8,
  timestamp,
  payload: Buffer.from([0xaf, 1, timestamp & 0xff]),
});
const videoHeader: FlvTag = { type: 9, timestamp: 0, payload: Buffer.from([0x17, 0, 0, 0, 0, 1]) };
const audioHeader: FlvTag = { type: 8, timestamp: 0, payload: Buffer.from([0xaf, 0, 0x12]) };
const metadata = (fields: Record<string, number>): FlvTag => ({
  type: 18,
  timestamp: 0,
  payload: amf('@setDataFrame', 'onMetaData', fields),
});

const brief = (tags: readonly { type: number; timestamp: number }[]): string[] =>
  tags.map(({ type, timestamp }) => `${type}@${timestamp}`);

describe('a player that joins mid-stream', () => {
  it('gets headers and GOP at once, then live messages, without a gap or a duplicate', () => {
    const { publisher, watch, watchRtmp } = stage();
    const tags = parseFlv(makeClip()).tags;
    publisher.send(tags.slice(0, 100));
    const gop = [...publisher.gop];
    const [flv, rtmp] = [watch(), watchRtmp()];
    expect(flv.flv.tags.filter((tag) => tag.type === 9 || tag.type === 8).length).toBe(gop.length + 2);
    publisher.send(tags.slice(100));
    const expected = brief([...tags.slice(0, 3), ...gop, ...tags.slice(100)]);
    expect(brief(flv.flv.tags)).toEqual(expected);
    expect(brief(rtmp.rtmp)).toEqual(expected);
    const payloads = (received: readonly { payload: Buffer }[]): string =>
      Buffer.concat(received.map(({ payload }) => payload)).toString('base64');
    expect(payloads(rtmp.rtmp)).toBe(payloads(flv.flv.tags));
  });

  it('starts with a keyframe', () => {
    const { publisher, watch } = stage();
    publisher.send([videoHeader, video(0, true), video(40), video(80)]);
    const tap = watch();
    expect(tap.flv.tags.filter(({ payload }) => payload[1] === 1).map(isKeyframe)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('waits for a keyframe when there is no GOP, while audio flows', () => {
    const { publisher, watch } = stage();
    publisher.send([videoHeader, audioHeader]);
    const tap = watch();
    publisher.send([audio(0), video(0), audio(20), video(40), video(80, true), video(120)]);
    expect(brief(tap.flv.tags)).toEqual(['9@0', '8@0', '8@0', '8@20', '9@80', '9@120']);
  });

  it('does not wait for the video of an audio-only stream', () => {
    const { publisher, watch } = stage();
    publisher.send([metadata({ audiocodecid: 10 }), audioHeader, audio(0)]);
    const tap = watch();
    publisher.send([audio(20)]);
    expect(tap.flv).toMatchObject({ hasAudio: true, hasVideo: false });
    expect(brief(tap.flv.tags)).toEqual(['18@0', '8@0', '8@20']);
  });

  it('gets headers alone when GOP copies would pass the bound, and starts at the next keyframe', () => {
    const { playback, publisher, watch } = stage({}, 20);
    publisher.send([videoHeader, video(0, true), video(40), video(80)]);
    const [first, second] = [watch(), watch()];
    expect(brief(first.flv.tags)).toEqual(['9@0', '9@0', '9@40', '9@80']);
    expect(brief(second.flv.tags)).toEqual(['9@0']);
    expect(playback.stats().replayBytes).toBeGreaterThan(20);
    publisher.send([video(120), video(160, true)]);
    expect(brief(second.flv.tags)).toEqual(['9@0', '9@160']);
    first.read();
    publisher.send([video(200)]);
    expect(playback.stats().replayBytes).toBeLessThan(40);
  });
});

describe('what players are given', () => {
  it.each<[string, FlvTag[], boolean, boolean]>([
    ['metadata that knows', [metadata({ width: 640, audiocodecid: 10 }), audioHeader], true, true],
    ['audio alone', [audioHeader, audio(0)], true, false],
    ['video alone', [metadata({ videocodecid: 7 }), videoHeader, video(0, true)], false, true],
    ['metadata that says nothing', [metadata({ duration: 0 })], true, true],
  ])('an FLV header that tells what the stream has: %s', (_what, tags, hasAudio, hasVideo) => {
    const joined = stage();
    joined.publisher.send(tags);
    expect(joined.watch().flv).toMatchObject({ hasAudio, hasVideo });
    const early = stage();
    const tap = early.watch();
    expect(tap.writes).toEqual([]);
    early.publisher.send(tags.slice(0, 1));
    expect(Buffer.concat(tap.writes).subarray(0, 3).toString()).toBe('FLV');
  });

  it('onMetaData without the @setDataFrame of publishers', () => {
    const { publisher, watch, watchRtmp } = stage();
    const taps = [watch(), watch()];
    const rtmp = watchRtmp();
    publisher.send([metadata({ width: 640 })]);
    for (const tap of taps) expect(tap.flv.tags[0]?.payload).toEqual(amf('onMetaData', { width: 640 }));
    expect(rtmp.rtmp).toMatchObject([{ type: 18, streamId: 1, payload: amf('onMetaData', { width: 640 }) }]);
  });

  it('onMetaData at time 0, whenever it came', () => {
    const { publisher, watch } = stage();
    const tap = watch();
    publisher.send([audio(500), { ...metadata({ width: 640 }), timestamp: 1_000 }]);
    expect(brief(tap.flv.tags)).toEqual(['8@500', '18@0']);
  });

  it('AMF 3 data as AMF 0, and nothing that would desynchronise them', () => {
    const { publisher, watchRtmp, watch } = stage();
    const [rtmp, flv] = [watchRtmp(), watch()];
    publisher.send([
      { type: 15, timestamp: 5, payload: Buffer.concat([Buffer.from([0]), amf('onTextData', {})]) },
      { type: 15, timestamp: 6, payload: amf('onTextData', {}) },
      { type: 15, timestamp: 6, payload: Buffer.from([0]) },
      { type: 18, timestamp: 6, payload: amf(1) },
      { type: 18, timestamp: 6, payload: amf('@setDataFrame') },
      { type: 8, timestamp: 0xffffff, payload: Buffer.alloc(0) },
      { type: 9, timestamp: 7, payload: Buffer.alloc(0) },
      { type: 22, timestamp: 7, payload: Buffer.from([1]) },
      audio(8),
    ]);
    expect(brief(rtmp.rtmp)).toEqual(['18@5', '8@8']);
    expect(brief(flv.flv.tags)).toEqual(['18@5', '8@8']);
    expect(rtmp.rtmp[0]?.payload).toEqual(amf('onTextData', {}));
  });

  it('times across the wrap of the 32-bit clock', () => {
    const { publisher, watch, watchRtmp } = stage();
    const [flv, rtmp] = [watch(), watchRtmp()];
    publisher.send([
      video(0xffffffd0, true),
      video(0xfffffff8),
      video(0x20),
      video(0xffffff),
      video(0xfffffe),
    ]);
    const expected = [0xffffffd0, 0xfffffff8, 0x20, 0xffffff, 0xfffffe];
    expect(flv.flv.tags.map(({ timestamp }) => timestamp)).toEqual(expected);
    expect(rtmp.rtmp.map(({ timestamp }) => timestamp)).toEqual(expected);
  });

  it('one buffer for all players of a protocol and message stream', () => {
    const { publisher, watch, watchRtmp } = stage();
    const taps = [watch(), watch(), watchRtmp(1), watchRtmp(1), watchRtmp(2)];
    publisher.send([audio(0)]);
    const last = taps.map((tap) => tap.writes.at(-1));
    expect(last[0]).toBe(last[1]);
    expect(last[2]).toBe(last[3]);
    expect(last[4]).not.toBe(last[3]);
    expect(taps[4]?.rtmp).toMatchObject([{ streamId: 2 }]);
  });
});

describe('a slow player', () => {
  const frame = (timestamp: number): FlvTag => ({
    type: 8,
    timestamp,
    payload: Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(998)]),
  });

  it('is dropped when more than the bound is queued, and nobody else notices', () => {
    const { playback, publisher, watch } = stage({ maxQueueBytes: 100_000 });
    const [slow, quick] = [watch(), watch()];
    for (let i = 0; i < 150; i += 1) {
      publisher.send([frame(i)]);
      quick.read();
    }
    expect(slow).toMatchObject({ destroyed: true, finished: false, ends: ['slow'] });
    expect(slow.writableLength).toBeLessThan(102_000);
    expect(quick.flv.tags).toHaveLength(150);
    expect(playback.stats()).toMatchObject({ players: 1, droppedSlow: 1 });
    expect(publisher.counts).toEqual([1, 2, 1]);
  });

  it('may have a GOP larger than the bound waiting, until it has caught up', () => {
    const { publisher, watch } = stage({ maxQueueBytes: 100_000 });
    publisher.send([video(0, true), ...Array.from({ length: 300 }, (_, i) => frame(i))]);
    const tap = watch();
    expect(tap.writableLength).toBeGreaterThan(300_000);
    publisher.send(Array.from({ length: 90 }, (_, i) => frame(300 + i)));
    expect(tap.destroyed).toBe(false);
    tap.read();
    publisher.send(Array.from({ length: 110 }, (_, i) => frame(400 + i)));
    expect(tap.destroyed).toBe(true);
  });

  it('is held to a bound that was lowered meanwhile', () => {
    const { playback, publisher, watch } = stage({ maxQueueBytes: 1_000_000 });
    const tap = watch();
    publisher.send(Array.from({ length: 200 }, (_, i) => frame(i)));
    expect(tap.destroyed).toBe(false);
    playback.configure({ ...LIMITS, maxQueueBytes: 100_000 });
    publisher.send([frame(200)]);
    expect(tap.destroyed).toBe(true);
  });
});

describe('comings and goings', () => {
  it('the publisher learns how many play, and is asked for nothing while nobody does', () => {
    const { playback, publisher } = stage();
    const [a, b] = [new Tap(), new Tap()];
    const first = playback.playFlv(PATH, a, (end) => a.ends.push(end));
    const second = playback.playRtmp(PATH, b, 1, (end) => b.ends.push(end));
    first?.end();
    first?.end();
    second?.end();
    expect(publisher.counts).toEqual([1, 2, 1, 0]);
    expect(publisher.broadcast.players).toBe(0);
    publisher.send([audio(0)]);
    expect(a.writes).toEqual([]);
    expect(a.ends).toEqual(['left']);
    expect(playback.stats()).toMatchObject({ players: 0, joined: 2 });
  });

  it('the publisher ends: RTMP players are told, FLV players are finished, the path is free', () => {
    const { playback, publisher, watch, watchRtmp } = stage();
    const [flv, rtmp] = [watch(), watchRtmp(3)];
    publisher.broadcast.end();
    publisher.broadcast.end();
    expect(flv).toMatchObject({ finished: true, destroyed: false, ends: ['unpublished'] });
    expect(rtmp).toMatchObject({ destroyed: false, ends: ['unpublished'] });
    const [eof, status] = rtmp.rtmp;
    expect(eof).toMatchObject({ type: 4, payload: Buffer.from('000100000003', 'hex') });
    expect(status?.payload.includes('NetStream.Play.UnpublishNotify')).toBe(true);
    expect(playback.get(PATH)).toBeNull();
    expect(playback.stats()).toMatchObject({ players: 0, broadcasts: 0 });
    expect(publisher.counts).toEqual([1, 2]);
  });

  it('a publisher that replaces another ends its broadcast; the late end of the old one does no harm', () => {
    const { playback, publisher, watch } = stage();
    const old = watch();
    const next = new HandPublisher(playback, PATH);
    expect(old.ends).toEqual(['unpublished']);
    publisher.broadcast.end();
    expect(playback.get(PATH)).toBe(next.broadcast);
  });

  it('no player more than the limit, over all streams', () => {
    const { playback, watch } = stage({ maxPlayers: 2 });
    new HandPublisher(playback, '/live/other');
    watch();
    const other = playback.playFlv('/live/other', new Tap(), () => {});
    expect(playback.full).toBe(true);
    expect(playback.playFlv(PATH, new Tap(), () => {})).toBeNull();
    expect(playback.playRtmp(PATH, new Tap(), 1, () => {})).toBeNull();
    other?.end();
    expect(playback.playRtmp(PATH, new Tap(), 1, () => {})).not.toBeNull();
  });

  it('nobody plays what nobody publishes', () => {
    const { playback } = stage();
    expect(playback.playFlv('/live/none', new Tap(), () => {})).toBeNull();
    expect(playback.get('/live/none')).toBeNull();
  });
});

it('flags of the clip are what the demuxer would set', () => {
  const flags = parseFlv(makeClip()).tags.slice(0, 5).map(flagsOf);
  expect(flags).toContain(8);
  expect(flags.filter((bits) => bits === 2)).toHaveLength(2);
});
