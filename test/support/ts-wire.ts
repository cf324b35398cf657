import { be } from './rtmp-wire.ts';

/**
 * MPEG transport streams written by hand for tests, from ISO/IEC 13818-1:
 * sound ones, and such as no multiplexer would make.
 */

const TS_BYTES = 188;
/** What fits into an SRT message of the usual size. */
const TS_PER_MESSAGE = 7;

export const STREAM_TYPE = { MPEG2: 2, AAC: 0x0f, H264: 0x1b, HEVC: 0x24 } as const;

const STUFFING = 0xff;

/** CRC-32/MPEG-2. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc ^ (byte << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc >>> 31 ? 0x04c11db7 : 0)) >>> 0;
  }
  return crc;
}

/** A section of a table with its CRC; `crc` may be wrong. */
export function section(tableId: number, id: number, body: Buffer, version = 0, crc?: number): Buffer {
  const length = body.length + 9;
  const head = Buffer.concat([
    be(tableId, 1),
    be(0xb000 | length, 2),
    be(id, 2),
    Buffer.from([0xc1 | ((version & 31) << 1), 0, 0]),
  ]);
  const whole = Buffer.concat([head, body]);
  return Buffer.concat([whole, be(crc ?? crc32(whole), 4)]);
}

/** Program association: program number to the PID of its map. */
export function pat(programs: readonly (readonly [program: number, pid: number])[], version = 0): Buffer {
  return section(
    0,
    1,
    Buffer.concat(programs.map(([program, pid]) => Buffer.concat([be(program, 2), be(0xe000 | pid, 2)]))),
    version,
  );
}

/** Program map: elementary streams by type and PID; the first carries the clock. */
export function pmt(
  streams: readonly (readonly [type: number, pid: number])[],
  version = 0,
  program = 1,
): Buffer {
  const entries = streams.map(([type, pid]) =>
    Buffer.concat([be(type, 1), be(0xe000 | pid, 2), be(0xf000, 2)]),
  );
  return section(
    2,
    program,
    Buffer.concat([be(0xe000 | (streams[0]?.[1] ?? 0x1fff), 2), be(0xf000, 2), ...entries]),
    version,
  );
}

/** A packetized elementary stream: a video unit or some audio at `dts`, in 90 kHz. */
export function pes(streamId: number, dts: number, payload: Buffer): Buffer {
  const clock = dts % 2 ** 33;
  const high = Math.floor(clock / 2 ** 30);
  const stamp = Buffer.from([
    0x21 | (high << 1),
    (clock >>> 22) & 0xff,
    ((clock >>> 14) & 0xfe) | 1,
    (clock >>> 7) & 0xff,
    ((clock << 1) & 0xfe) | 1,
  ]);
  return Buffer.concat([Buffer.from([0, 0, 1, streamId, 0, 0, 0x84, 0x80, stamp.length]), stamp, payload]);
}

/** Multiplexes sections and elementary streams into packets, keeping the continuity counters of all PIDs. */
export class TsWriter {
  readonly #counters = new Map<number, number>();

  /** A table, from the start of a packet on. */
  table(pid: number, bytes: Buffer): Buffer {
    return this.packets(pid, Buffer.concat([Buffer.alloc(1), bytes]));
  }

  /** Bytes that begin a unit, over as many packets as they take; `isKey` says that a decoder may begin here. */
  packets(pid: number, bytes: Buffer, isKey = false): Buffer {
    const packets: Buffer[] = [];
    for (let at = 0; at === 0 || at < bytes.length; ) {
      const flagged = isKey && at === 0;
      const room = TS_BYTES - 4 - (flagged ? 2 : 0);
      const part = bytes.subarray(at, at + room);
      packets.push(this.#packet(pid, at === 0, part, flagged));
      at += part.length || 1;
    }
    return Buffer.concat(packets);
  }

  #packet(pid: number, isStart: boolean, payload: Buffer, isKey: boolean): Buffer {
    const counter = this.#counters.get(pid) ?? 0;
    this.#counters.set(pid, (counter + 1) & 15);
    const room = TS_BYTES - 4 - payload.length;
    const adaptation = room === 0 ? Buffer.alloc(0) : adaptationField(room, isKey);
    const control = (adaptation.length > 0 ? 0x20 : 0) | 0x10 | counter;
    const head = Buffer.concat([be(0x47, 1), be((isStart ? 0x4000 : 0) | pid, 2), be(control, 1)]);
    return Buffer.concat([head, adaptation, payload]);
  }
}

function adaptationField(length: number, isKey: boolean): Buffer {
  const field = Buffer.alloc(length, STUFFING);
  field.writeUInt8(length - 1, 0);
  if (length > 1) field.writeUInt8(isKey ? 0x40 : 0, 1);
  return field;
}

const AUD = Buffer.from([0, 0, 0, 1, 9, 0xf0]);
/** Baseline, 320x180: what a decoder needs, and what a meter reads the size from. */
const PARAMETER_SETS = Buffer.from(
  '000000016742c00cd901419f9f011000000300100000030320f142a4800000000168cb83cb20',
  'hex',
);

/** A stream of one H.264 video: tables with every keyframe, bodies that nobody decodes. */
export class VideoTs {
  readonly writer = new TsWriter();
  readonly #pid: number;
  #dts = 90_000;

  constructor(pid = 0x100) {
    this.#pid = pid;
  }

  tables(): Buffer {
    const writer = this.writer;
    return Buffer.concat([
      writer.table(0, pat([[1, 0x1000]])),
      writer.table(0x1000, pmt([[STREAM_TYPE.H264, this.#pid]])),
    ]);
  }

  /** One frame of about so many bytes; keyframes bring the tables. */
  frame(bytes: number, isKey: boolean, fps = 25): Buffer {
    const head = isKey
      ? Buffer.concat([AUD, PARAMETER_SETS, Buffer.from([0, 0, 0, 1, 0x65])])
      : Buffer.concat([AUD, Buffer.from([0, 0, 0, 1, 0x41])]);
    const unit = pes(
      0xe0,
      this.#dts,
      Buffer.concat([head, Buffer.alloc(Math.max(0, bytes - head.length), 0x5a)]),
    );
    this.#dts += 90_000 / fps;
    const packets = this.writer.packets(this.#pid, unit, isKey);
    return isKey ? Buffer.concat([this.tables(), packets]) : packets;
  }
}

/** Cut into SRT messages. */
export function messagesOf(ts: Buffer, bytes = TS_BYTES * TS_PER_MESSAGE): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < ts.length; at += bytes) messages.push(ts.subarray(at, at + bytes));
  return messages;
}
