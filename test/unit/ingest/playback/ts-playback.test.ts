import { describe, expect, it } from 'vitest';
import {
  type Broadcast,
  Playback,
  type PlayerEnd,
  type TransportStream,
  type TsOutput,
  type TsPlayer,
} from '../../../../src/ingest/playback/playback.ts';

const PATH = '/live/cam1';
const TABLES = 'PAT PMT ';

/** Stands for packets: what matters here is which of them arrive, not what is in them. */
const packets = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A player's output that holds `room` bytes until `read` is called. */
class Tap {
  readonly protocol: 'http-ts' | 'srt';
  readonly ends: PlayerEnd[] = [];
  room: number;
  text = '';
  queued = 0;
  state = 'open';

  constructor(protocol: 'http-ts' | 'srt', room = Number.POSITIVE_INFINITY) {
    this.protocol = protocol;
    this.room = room;
  }

  get output(): TsOutput {
    return {
      protocol: this.protocol,
      write: (bytes) => {
        if (bytes.length > this.room) return false;
        this.text += bytes.toString();
        this.queued += bytes.length;
        this.room -= bytes.length;
        return true;
      },
      queuedBytes: () => (this.protocol === 'srt' ? 0 : this.queued),
      finish: () => {
        this.state = 'finished';
      },
      destroy: () => {
        this.state = 'destroyed';
      },
    };
  }
}

interface Stage {
  readonly playback: Playback;
  readonly broadcast: Broadcast;
  /** calls of onPlayers and messagePlayers, in order */
  readonly told: string[];
  readonly source: { tables: string; convertible: boolean };
  watch(tap: Tap): TsPlayer | null;
  send(text: string, randomAccess?: boolean): void;
}

function stage(limits: Partial<{ maxPlayers: number; maxQueueBytes: number }> = {}): Stage {
  const playback = new Playback({ maxPlayers: 10, maxQueueBytes: 1_000, ...limits }, { info: () => {} });
  const told: string[] = [];
  const source = { tables: TABLES, convertible: true };
  const transportStream: TransportStream = {
    tables: () => packets(source.tables),
    convertible: () => source.convertible,
    messagePlayers: (count) => told.push(`messages ${count}`),
  };
  const onPlayers = (count: number): void => void told.push(`players ${count}`);
  const broadcast = playback.open(PATH, { replay: () => {}, onPlayers, transportStream });
  return {
    playback,
    broadcast,
    told,
    source,
    watch: (tap) => playback.playTs(PATH, tap.output, (end) => tap.ends.push(end)),
    send: (text, randomAccess = false) => broadcast.packets?.deliver(packets(text), randomAccess),
  };
}

const flvTap = { protocol: 'http-flv', write: () => {}, queuedBytes: () => 0, finish: () => {} } as const;

describe('a player of MPEG-TS', () => {
  it('starts at the next random access unit, with the tables in front, and gets all that follows', () => {
    const { watch, send } = stage();
    const tap = new Tap('http-ts');
    watch(tap);
    send('b1 ');
    send('I2 ', true);
    send('b2 ');
    send('I3 ', true);
    const late = new Tap('srt');
    watch(late);
    send('b3 ');
    send('I4 ', true);
    expect(tap.text).toBe('PAT PMT I2 b2 I3 b3 I4 ');
    expect(late.text).toBe('PAT PMT I4 ');
  });

  it('starts over after a gap', () => {
    const { broadcast, watch, send } = stage();
    const tap = new Tap('http-ts');
    watch(tap);
    send('I1 ', true);
    broadcast.packets?.interrupt();
    send('b1 ');
    send('I2 ', true);
    expect(tap.text).toBe('PAT PMT I1 PAT PMT I2 ');
  });

  it('keeps what it was given although the memory it came in is used again', () => {
    const { playback, broadcast } = stage();
    const kept: Buffer[] = [];
    const keep = { ...new Tap('http-ts').output, write: (bytes: Buffer) => kept.push(bytes) > 0 };
    playback.playTs(PATH, keep, () => {});
    const memory = packets('I1 ');
    broadcast.packets?.deliver(memory, true);
    memory.fill(0);
    expect(Buffer.concat(kept).toString()).toBe('PAT PMT I1 ');
  });

  it('is told the end of the publisher, and nothing more', () => {
    const { playback, broadcast, watch, send, told } = stage();
    const tap = new Tap('http-ts');
    const player = watch(tap);
    broadcast.end();
    send('I1 ', true);
    player?.end();
    expect(tap).toMatchObject({ ends: ['unpublished'], state: 'finished', text: '' });
    expect(playback.stats()).toMatchObject({ players: 0, broadcasts: 0, droppedSlow: 0 });
    expect(told).toEqual(['messages 0', 'players 1']);
  });

  it('is counted with all others, towards the same cap', () => {
    const { playback, broadcast, watch, told } = stage({ maxPlayers: 3 });
    const flv = playback.playFlv(PATH, { ...flvTap, destroy: () => {} }, () => {});
    const first = watch(new Tap('http-ts'));
    watch(new Tap('srt'));
    expect(watch(new Tap('srt'))).toBeNull();
    expect(playback.refusal(PATH, 'packets')).toBe('full');
    expect(broadcast.players).toBe(3);
    expect(playback.stats()).toMatchObject({
      joined: 3,
      byProtocol: { rtmp: 0, 'http-flv': 1, 'ws-flv': 0, 'http-ts': 1, srt: 1 },
    });
    flv?.end();
    first?.end();
    expect(told.filter((line) => line.startsWith('players'))).toEqual(
      [1, 2, 3, 2, 1].map((count) => `players ${count}`),
    );
    expect(told.filter((line) => line.startsWith('messages'))).toEqual(
      [1, 1, 1, 0, 0].map((count) => `messages ${count}`),
    );
  });
});

describe('a slow player of MPEG-TS', () => {
  it('over HTTP is dropped when more than the bound waits, and the others do not notice', () => {
    const { playback, watch, send } = stage({ maxQueueBytes: 30 });
    const [slow, quick] = [new Tap('http-ts'), new Tap('http-ts')];
    watch(slow);
    watch(quick);
    for (let unit = 0; unit < 5; unit += 1) {
      send(`unit ${unit} `, true);
      quick.queued = 0;
    }
    expect(slow).toMatchObject({ ends: ['slow'], state: 'destroyed' });
    expect(slow.text.length).toBeLessThanOrEqual(38);
    expect(quick).toMatchObject({
      ends: [],
      text: `PAT PMT ${[0, 1, 2, 3, 4].map((n) => `unit ${n} `).join('')}`,
    });
    expect(playback.stats()).toMatchObject({ players: 1, droppedSlow: 1 });
  });

  it('over SRT misses the rest up to the next random access unit, and goes on there', () => {
    const { watch, send } = stage();
    const tap = new Tap('srt');
    watch(tap);
    send('I1 ', true);
    tap.room = 2;
    send('b1 ');
    tap.room = 1_000;
    send('c1 ');
    send('I2 ', true);
    send('b2 ');
    expect(tap).toMatchObject({ text: 'PAT PMT I1 PAT PMT I2 b2 ', ends: [] });
  });

  it('over SRT is dropped when it misses more than the bound without one whole stretch', () => {
    const { watch, send } = stage({ maxQueueBytes: 20 });
    const tap = new Tap('srt', 0);
    watch(tap);
    for (let unit = 0; unit < 20 && tap.ends.length === 0; unit += 1) {
      send('I ', true);
      send('b ');
    }
    expect(tap).toMatchObject({ text: '', ends: ['slow'], state: 'destroyed' });
  });

  it('over SRT is forgiven what it missed once it took all from one random access unit to the next', () => {
    const { watch, send } = stage({ maxQueueBytes: 20 });
    const tap = new Tap('srt');
    watch(tap);
    for (let round = 0; round < 20; round += 1) {
      send('I ', true);
      tap.room = 0;
      send('lost ');
      send('lost ');
      tap.room = Number.POSITIVE_INFINITY;
      send('I ', true);
      send('b ');
    }
    expect(tap.ends).toEqual([]);
  });
});

describe('who cannot play', () => {
  it('what nobody publishes', () => {
    const { playback } = stage();
    expect(playback.refusal('/live/other', 'packets')).toBe('not_published');
    expect(playback.playTs('/live/other', new Tap('srt').output, () => {})).toBeNull();
  });

  it('as MPEG-TS a stream that comes as messages', () => {
    const { playback } = stage();
    playback.open('/live/rtmp', { replay: () => {}, onPlayers: () => {} });
    expect(playback.refusal('/live/rtmp', 'packets')).toBe('not_as_packets');
    expect(playback.refusal('/live/rtmp', 'messages')).toBeNull();
    expect(playback.playTs('/live/rtmp', new Tap('srt').output, () => {})).toBeNull();
    expect(playback.stats().joined).toBe(0);
  });

  it('as messages a stream whose codecs they cannot carry', () => {
    const { playback, source } = stage();
    source.convertible = false;
    expect(playback.refusal(PATH, 'messages')).toBe('not_as_messages');
    expect(playback.playFlv(PATH, { ...flvTap, destroy: () => {} }, () => {})).toBeNull();
    expect(playback.refusal(PATH, 'packets')).toBeNull();
  });

  it('those who wait for messages that will never come are told the end; others stay', () => {
    const { playback, broadcast, watch } = stage();
    const ends: PlayerEnd[] = [];
    const tap = new Tap('http-ts');
    playback.playFlv(PATH, { ...flvTap, destroy: () => {} }, (end) => ends.push(end));
    watch(tap);
    broadcast.endMessages();
    expect([ends, tap.ends, broadcast.players]).toEqual([['unpublished'], [], 1]);
  });
});
