import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { listenError } from '../rtmp/accept.ts';
import {
  type Answer,
  answerTo,
  CORS_HEADERS,
  type Container,
  headersOf,
  NO_SUCH_PATH,
  PUBLISHING_REFUSED,
  playedOf,
} from './http-answers.ts';
import type { Playback, PlayerOutput } from './playback.ts';
import { WebSocketFlv } from './ws-flv.ts';

/**
 * The playback port: HTTP-FLV at `/APP/NAME.flv`, and the same over WebSocket;
 * MPEG-TS at `/APP/NAME.ts` for streams that come as such.
 *
 * node-media-server's own HTTP server is not used: it accepts publishing by
 * POST and WebSocket, and dies on paths it does not expect. Here every
 * connection serves one request and closes; strangers are bounded in time
 * (headers), in bytes (headers, bodies) and in number (connections).
 *
 * Who closes whom: the server owns its sockets; a player ends when its socket
 * closes; a broadcast that ends finishes its players' responses.
 */

/** How long a request may take to arrive, headers and whole, ms. A player sends its own in one packet. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often Node looks for requests that take too long, ms. */
const TIMEOUT_CHECK_MS = 1_000;

/** Bytes of all header lines; browsers send about one kilobyte. */
const HEADER_BYTES_MAX = 8_192;

/** Connections beyond the players: for requests on their way to an answer. */
const SPARE_CONNECTIONS = 256;

/** A body we did not ask for is discarded up to here, so that its sender lives to read the refusal, bytes. */
const DISCARDED_BYTES_MAX = 262_144;

/** A peer that takes nothing for this long after its response ended is cut off, ms. */
const FLUSH_IDLE_MS = 5_000;

/** TCP keepalive finds players whose machine is gone, ms. */
const KEEPALIVE_MS = 30_000;

const CONTENT_TYPES: Readonly<Record<Container, string>> = { flv: 'video/x-flv', ts: 'video/mp2t' };

export interface PlaybackServerTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly checkMs: number;
}

const TIMEOUTS: PlaybackServerTimeouts = {
  headersMs: HEADERS_TIMEOUT_MS,
  requestMs: REQUEST_TIMEOUT_MS,
  checkMs: TIMEOUT_CHECK_MS,
};

export class PlaybackServer {
  readonly #playback: Playback;
  readonly #webSocket: WebSocketFlv;
  readonly #server: http.Server;
  readonly #sockets = new Set<Duplex>();
  /** sockets whose response is a stream: anything more they ask for ends them */
  readonly #streaming = new WeakSet<Duplex>();

  constructor(playback: Playback, timeouts: PlaybackServerTimeouts = TIMEOUTS) {
    this.#playback = playback;
    this.#webSocket = new WebSocketFlv(playback);
    this.#server = http.createServer({
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      connectionsCheckingInterval: timeouts.checkMs,
      maxHeaderSize: HEADER_BYTES_MAX,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_MS,
    });
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('request', (request, response) => this.#request(request, response));
    // Without this listener Node would invite the body of a request that is about to be refused.
    this.#server.on('checkContinue', (request, response) => this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#webSocket.upgrade(request, socket, head));
    this.#server.on('clientError', (error, socket) => this.#malformed(error, socket));
  }

  /** Starts listening. @throws HeadgateError HG_LISTEN */
  async listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(address, error)));
      this.#server.listen({ host: address.host, port: address.port }, resolve);
    });
    this.#server.removeAllListeners('error');
    // A failing accept (out of descriptors) must not end the process; the next one may succeed.
    this.#server.on('error', () => {});
    return this.#server.address() as AddressInfo;
  }

  /** Stops listening and destroys every connection; resolves when all are gone. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    if (this.#sockets.size >= this.#playback.maxPlayers + SPARE_CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (this.#streaming.has(request.socket)) {
      request.socket.destroy();
      return;
    }
    // A reset by the peer is an ordinary end; `close` follows.
    response.on('error', () => {});
    switch (request.method) {
      case 'OPTIONS':
        response.writeHead(204, { ...CORS_HEADERS, Connection: 'close' });
        response.end();
        return;
      case 'GET':
      case 'HEAD':
        this.#answer(request, response);
        return;
      default:
        refuse(request, response, PUBLISHING_REFUSED);
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const played = playedOf(request.url ?? '');
    if (played === null) {
      refuse(request, response, NO_SUCH_PATH);
      return;
    }
    const { path, container } = played;
    const refusal = this.#playback.refusal(path, container === 'ts' ? 'packets' : 'messages');
    if (refusal !== null) refuse(request, response, answerTo(refusal, path));
    else this.#play(path, container, request, response);
  }

  #play(path: string, container: Container, request: IncomingMessage, response: ServerResponse): void {
    // Chunked, as Node does by default: the last chunk tells a stream that ended from a connection that broke.
    response.writeHead(200, {
      ...CORS_HEADERS,
      'Content-Type': CONTENT_TYPES[container],
      'Cache-Control': 'no-store',
      Connection: 'close',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.flushHeaders();
    this.#streaming.add(request.socket);
    const output = outputOf(request, response);
    const player =
      container === 'ts'
        ? this.#playback.playTs(path, { ...output, protocol: 'http-ts' }, () => {})
        : this.#playback.playFlv(path, { ...output, protocol: 'http-flv' }, () => {});
    response.on('close', () => player?.end());
  }

  #malformed(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (this.#streaming.has(socket) || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
      socket.destroy(),
    );
  }
}

/** A response as players' output. It takes all that is written: what the peer does not read is queued. */
function outputOf(
  request: IncomingMessage,
  response: ServerResponse,
): Omit<PlayerOutput, 'protocol' | 'write'> & { write(bytes: Buffer): true } {
  return {
    write: (bytes) => {
      response.write(bytes);
      return true;
    },
    queuedBytes: () => response.writableLength,
    finish: () => {
      request.socket.setTimeout(FLUSH_IDLE_MS, () => request.socket.destroy());
      response.end();
    },
    destroy: () => request.socket.destroy(),
  };
}

/** Answers at once; the response ends when the request has, so that an unread body does not reset the answer away. */
function refuse(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, headersOf(answer));
  if (request.method === 'HEAD' || request.complete) {
    response.end(`${answer.text}\n`);
    return;
  }
  response.write(`${answer.text}\n`);
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > DISCARDED_BYTES_MAX) request.socket.destroy();
  });
  request.on('end', () => response.end());
}
