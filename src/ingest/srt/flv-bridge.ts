import { IO, IO_LENGTH, OUTBOX_BYTES } from '../../native/binding.ts';
import { type OutboxMessage, OutboxReader, RECORD_FLAG } from '../../native/outbox.ts';
import type { MediaMessage } from '../playback/playback.ts';
import { encodeAmf0 } from '../rtmp/amf.ts';
import { DATA_AMF0 } from '../rtmp/message-types.ts';
import type { Codecs, MessageSource } from './feed.ts';

/**
 * MPEG-TS made into RTMP messages, for players of RTMP and FLV. The demuxing
 * is native; here its records are walked, and what a player that joins later
 * needs is kept: the metadata and one sequence header per kind, no media.
 */

/** The native demuxer of one transport stream, see native/ts_flv_napi.h. */
export interface TsDemuxer {
  /** Reads packets and leaves `io[IO.EVENTS]` records in the outbox; the rest waits for it to be drained when `io[IO.CONSUMED]` is less than `length`. */
  feed(bytes: Uint8Array, offset: number, length: number): void;
  /** Whether messages can carry its codecs: 1 yes, 0 no, -1 not known yet. */
  supported(): number;
}

/** Makes demuxers that write to a shared outbox and answer in a shared `io`. */
export type TsDemuxerClass = new (outbox: Uint8Array, io: Float64Array) => TsDemuxer;

const NOT_SUPPORTED = 0;

/** `videocodecid` and `audiocodecid` of onMetaData for what the demuxer carries (FLV specification 10.1, E.4). */
const VIDEO_CODEC_IDS: ReadonlyMap<string, number> = new Map([['h264', 7]]);
const AUDIO_CODEC_IDS: ReadonlyMap<string, number> = new Map([['aac', 10]]);

/** One outbox for all: it is drained before the next demuxer is called. */
interface SharedOutbox {
  readonly bytes: Uint8Array;
  readonly io: Float64Array;
  readonly reader: OutboxReader;
}

/** What `SrtFeedOptions.demuxer` is made of, once per server; memory is taken at the first player. */
export function messageSources(demuxers: TsDemuxerClass): (codecs: () => Codecs) => MessageSource {
  let outbox: SharedOutbox | null = null;
  return (codecs) => {
    outbox ??= makeOutbox();
    return new FlvBridge(new demuxers(outbox.bytes, outbox.io), outbox, codecs);
  };
}

function makeOutbox(): SharedOutbox {
  const bytes = new Uint8Array(OUTBOX_BYTES);
  return { bytes, io: new Float64Array(IO_LENGTH), reader: new OutboxReader(bytes) };
}

class FlvBridge implements MessageSource {
  readonly #demuxer: TsDemuxer;
  readonly #outbox: SharedOutbox;
  readonly #codecs: () => Codecs;
  #metadata: MediaMessage | null = null;
  /** the last sequence header by message type */
  readonly #headers = new Map<number, MediaMessage>();

  constructor(demuxer: TsDemuxer, outbox: SharedOutbox, codecs: () => Codecs) {
    this.#demuxer = demuxer;
    this.#outbox = outbox;
    this.#codecs = codecs;
  }

  get convertible(): boolean {
    return this.#demuxer.supported() !== NOT_SUPPORTED;
  }

  feed(packets: Uint8Array, sink: (message: MediaMessage) => void): void {
    const { io, reader } = this.#outbox;
    for (let at = 0; at < packets.byteLength; at += io[IO.CONSUMED] as number) {
      this.#demuxer.feed(packets, at, packets.byteLength - at);
      reader.rewind(io[IO.EVENTS] as number);
      while (reader.next()) this.#tell(reader.message(), sink);
    }
  }

  replay(sink: (message: MediaMessage) => void): void {
    if (this.#metadata !== null) sink(this.#metadata);
    for (const header of this.#headers.values()) sink(header);
  }

  #tell(message: OutboxMessage, sink: (message: MediaMessage) => void): void {
    if (this.#metadata === null) {
      this.#metadata = metadataOf(this.#codecs());
      sink(this.#metadata);
    }
    if ((message.flags & RECORD_FLAG.HEADER) !== 0)
      this.#headers.set(message.type, { ...message, payload: message.payload.slice() });
    sink(message);
  }
}

/** What tells a player which kinds of media to expect: it may wait for both before it shows anything. */
function metadataOf(codecs: Codecs): MediaMessage {
  const video = VIDEO_CODEC_IDS.get(codecs.video);
  const audio = AUDIO_CODEC_IDS.get(codecs.audio);
  const fields = new Map<string, number>();
  if (video !== undefined) fields.set('videocodecid', video);
  if (audio !== undefined) fields.set('audiocodecid', audio);
  const payload = encodeAmf0(['onMetaData', fields]);
  return { type: DATA_AMF0, timestamp: 0, payload, flags: RECORD_FLAG.METADATA };
}
