import { EventEmitter } from 'node:events';
import { encodeAmf0 } from './amf.ts';
import { COMMAND_AMF0, DATA_AMF0, DATA_AMF3 } from './message-types.ts';
import { frameRtmp, frameRtmpMedia, HANDSHAKE_PART_BYTES } from './nms.ts';
import type { RelayRequest, RelaySession } from './relay.ts';
import * as replies from './replies.ts';

/**
 * A conversation with a session of node-media-server, held by a socket that is
 * none: what the gate has let in is written down anew as a plain RTMP client
 * would say it. So a session of its own exists for every publisher and player,
 * with its events, recording, relaying and statistics, and nothing that a
 * stranger has written reaches its parsers but names and media.
 *
 * All of it is synchronous. What node-media-server or a listener of its events
 * throws comes back here, and costs one connection instead of the process.
 */

/** Command message and chunk stream of a client's commands. */
const COMMAND_CHUNK_STREAM = 3;
const CONNECTION_STREAM_ID = 0;

/** A client's C0, C1 and C2 without a digest: it is answered by the plain handshake. */
const HANDSHAKE = Buffer.concat([Buffer.of(3), Buffer.alloc(2 * HANDSHAKE_PART_BYTES)]);

/** Milliseconds of the RTMP clock wrap here, and node-media-server cannot write what lies above. */
const CLOCK_MAX = 0xffff_ffff;

/** What is used of a socket by node-media-server 4.4.3. */
export class RelaySocket extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #written: (bytes: Uint8Array) => void;
  readonly #ended: () => void;

  constructor(
    origin: { readonly ip: string; readonly port: number },
    hears: { written(bytes: Uint8Array): void; ended(): void },
  ) {
    super();
    this.remoteAddress = origin.ip;
    this.remotePort = origin.port;
    this.#written = hears.written;
    this.#ended = hears.ended;
  }

  write(bytes: Uint8Array): boolean {
    this.#written(bytes);
    return true;
  }

  end(): void {
    this.#ended();
  }

  destroy(): void {
    this.#ended();
  }
}

export class NmsSession implements RelaySession {
  readonly #request: RelayRequest;
  readonly #socket: RelaySocket;
  /** replies to commands that the gate has answered by itself are for nobody */
  #heard = false;
  #over = false;
  #closed = false;

  /** `welcome` gives the socket to node-media-server as a new connection. */
  constructor(request: RelayRequest, welcome: (socket: RelaySocket) => void) {
    this.#request = request;
    this.#socket = new RelaySocket(request.origin, {
      written: (bytes) => {
        if (this.#heard && !this.#over) request.write(bytes);
      },
      ended: () => this.#end(),
    });
    this.#try(() => welcome(this.#socket));
    this.#say(HANDSHAKE);
    this.#say(replies.setChunkSize());
    this.#command(CONNECTION_STREAM_ID, ['connect', 1, connectProperties(request)]);
    this.#command(CONNECTION_STREAM_ID, ['createStream', 2, null]);
    this.#heard = request.verb === 'play';
    this.#command(request.streamId, [request.verb, 3, null, nameOf(request), 'live']);
  }

  get over(): boolean {
    return this.#over;
  }

  deliver({ type, timestamp, payload }: Parameters<RelaySession['deliver']>[0]): void {
    if (payload.length === 0 || timestamp > CLOCK_MAX) return;
    if (type !== DATA_AMF3) {
      this.#say(frameRtmpMedia(type, timestamp, this.#request.streamId, payload));
      return;
    }
    // Its players cannot read type 15. Behind the zero byte the values are the same.
    if (payload[0] === 0)
      this.#say(frameRtmpMedia(DATA_AMF0, timestamp, this.#request.streamId, payload.subarray(1)));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#over = true;
    try {
      this.#socket.emit('close');
    } catch (error) {
      this.#request.failed(error as Error);
    }
  }

  #command(streamId: number, values: Parameters<typeof encodeAmf0>[0]): void {
    this.#say(frameRtmp(COMMAND_CHUNK_STREAM, COMMAND_AMF0, 0, streamId, encodeAmf0(values)));
  }

  #say(bytes: Uint8Array): void {
    this.#try(() => this.#socket.emit('data', bytes));
  }

  #try(step: () => void): void {
    if (this.#over) return;
    try {
      step();
    } catch (error) {
      this.#over = true;
      this.#request.failed(error as Error);
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#request.ended();
  }
}

function connectProperties({ tcUrl, app }: RelayRequest): ReadonlyMap<string, string> {
  const host = tcUrl !== null && URL.canParse(tcUrl) ? new URL(tcUrl).hostname : '';
  return new Map([
    ['app', app],
    ['tcUrl', `rtmp://${host === '' ? 'localhost' : host}/${app}`],
  ]);
}

/** Its query with each name once: a list in the place of a text is more than node-media-server bears. */
function nameOf({ name, query }: RelayRequest): string {
  const once = new URLSearchParams();
  for (const [key, value] of query) if (!once.has(key)) once.set(key, value);
  return once.size === 0 ? name : `${name}?${once}`;
}
