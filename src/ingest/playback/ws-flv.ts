import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocketLike, type WebSocketUpgrader, webSocketUpgrader } from '../rtmp/nms.ts';
import {
  type Answer,
  answerToUpgrade,
  NO_SUCH_PATH,
  NOT_A_WEBSOCKET,
  PUBLISHING_REFUSED,
  rawAnswer,
  streamPathOf,
  TOO_MANY_PLAYERS,
} from './http-answers.ts';
import type { Playback, Player } from './playback.ts';

/**
 * FLV over WebSocket: the FLV file header and then one tag per message, all
 * binary. Players have nothing to say here: whatever they send but pings is
 * taken for an attempt to publish, and closes the connection.
 */

/** Largest message a player may send before it is cut off, bytes: enough to be told why. */
const RECEIVE_BYTES_MAX = 1_024;

/** How long a player may take to answer our close before its socket is destroyed, ms. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Pings are not answered while this much waits to be sent, bytes: answers unread would pile up. */
const PONG_QUEUE_BYTES_MAX = 65_536;

/** WebSocket close codes (RFC 6455, section 7.4.1). */
const NORMAL_CLOSURE = 1000;
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

/** Subprotocols by which node-media-server's clients announce that they publish. */
const PUBLISHING_SUBPROTOCOLS: ReadonlySet<string> = new Set(['post', 'publisher']);

export class WebSocketFlv {
  readonly #playback: Playback;
  readonly #upgrader: WebSocketUpgrader;

  constructor(playback: Playback) {
    this.#playback = playback;
    this.#upgrader = webSocketUpgrader({
      maxPayload: RECEIVE_BYTES_MAX,
      closeTimeout: CLOSE_TIMEOUT_MS,
      perMessageDeflate: false,
      clientTracking: false,
      autoPong: false,
    });
  }

  /** Answers an HTTP upgrade request: plays, or refuses with a plain HTTP answer. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A reset by the peer is an ordinary end.
    socket.on('error', () => {});
    const path = streamPathOf(request.url ?? '');
    const refusal = this.#refusal(request, path);
    if (refusal !== null || path === null) {
      const answer = refusal ?? NO_SUCH_PATH;
      socket.end(rawAnswer(answer, STATUS_CODES[answer.status] ?? ''), () => socket.destroy());
      return;
    }
    this.#upgrader.handleUpgrade(request, socket, head, (webSocket) => this.#play(path, webSocket));
  }

  #refusal(request: IncomingMessage, path: string | null): Answer | null {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return NOT_A_WEBSOCKET;
    if (announcesPublishing(request)) return PUBLISHING_REFUSED;
    if (path === null) return NO_SUCH_PATH;
    const refusal = this.#playback.refusal(path, 'messages');
    return refusal === null ? null : answerToUpgrade(refusal, path);
  }

  #play(path: string, webSocket: WebSocketLike): void {
    let player: Player | null = null;
    // A broken frame or a reset; `close` follows.
    webSocket.on('error', () => {});
    webSocket.on('close', () => player?.end());
    webSocket.on('message', () => webSocket.close(POLICY_VIOLATION, PUBLISHING_REFUSED.text));
    webSocket.on('ping', (bytes) => {
      if (webSocket.bufferedAmount < PONG_QUEUE_BYTES_MAX) webSocket.pong(bytes);
    });
    player = this.#playback.playFlv(
      path,
      {
        protocol: 'ws-flv',
        write: (bytes) => {
          if (webSocket.readyState === webSocket.OPEN) webSocket.send(bytes);
        },
        queuedBytes: () => webSocket.bufferedAmount,
        finish: () => webSocket.close(NORMAL_CLOSURE, 'the publisher ended'),
        destroy: () => webSocket.terminate(),
      },
      () => {},
    );
    if (player === null) webSocket.close(TRY_AGAIN_LATER, TOO_MANY_PLAYERS.text);
  }
}

function announcesPublishing(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => PUBLISHING_SUBPROTOCOLS.has(name.trim().toLowerCase()));
}
