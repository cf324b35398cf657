import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HeadgateError } from '../../lib/errors.ts';
import { NmsSession, type RelaySocket } from './nms-relay.ts';
import type { RelayRequest, RelaySession } from './relay.ts';

/**
 * The doors of a node-media-server application. Its RTMP listeners stay its
 * own, but who comes in goes to the gate first, and to node-media-server as a
 * session of the gate's making. Publishing over HTTP, which nothing can
 * measure or slow down before it is broadcast, is refused.
 */

// biome-ignore lint/suspicious/noExplicitAny: what Node itself says of a listener
type Listener = (...args: any[]) => void;

/** What is used of an application of node-media-server 4.4.3; `new NodeMediaServer(config)` is one. */
export interface NodeMediaServerLike {
  readonly rtmpServer: {
    readonly tcpServer?: EventEmitter;
    readonly tlsServer?: EventEmitter;
    readonly handleRequest: Listener;
  };
  readonly httpServer: {
    readonly httpServer?: EventEmitter;
    readonly httpsServer?: EventEmitter;
    readonly wsServer?: object;
    readonly wssServer?: object;
  };
  run: () => Promise<void>;
  stop: () => Promise<void>;
}

interface Upgrader {
  shouldHandle(request: IncomingMessage): boolean | Promise<boolean>;
}

/** Paths that its FLV sessions can parse: others throw where nobody catches. */
const FLV_PATH = /^\/[\w-]+\/[\w-]+(\.flv)?$/;

/**
 * Paths that its router may take for an FLV path: it minds neither case nor a slash behind, and reads a backslash as a
 * slash and white space at the end as nothing.
 */
const FLV_ENDING = /\.flv(?:[/\\]|[^!-~])*$/i;

/** WebSocket subprotocols by which a client says that it publishes. */
const PUBLISHES = /^\s*(post|publisher)\s*(,|$)/i;

const REFUSAL = JSON.stringify({
  type: 'about:blank',
  title: 'Forbidden',
  status: 403,
  detail: 'publishing over HTTP is off here: publish over RTMP, where limits hold',
});

export class NmsDoors {
  readonly #nms: NodeMediaServerLike;
  readonly #undo: (() => void)[] = [];

  /** Throws HG_NMS_CHANGED for what is no node-media-server 4.4. */
  constructor(nms: NodeMediaServerLike) {
    assertShape(nms);
    this.#nms = nms;
  }

  /** From now on RTMP connections are handed to `adopt`, and nobody publishes over HTTP. */
  guard(adopt: (socket: Socket, protocol: 'rtmp' | 'rtmps') => void): void {
    const { tcpServer, tlsServer } = this.#nms.rtmpServer;
    this.#replace(tcpServer, 'connection', (socket: Socket) => adopt(socket, 'rtmp'));
    this.#replace(tlsServer, 'secureConnection', (socket: Socket) => adopt(socket, 'rtmps'));
    const { httpServer, httpsServer, wsServer, wssServer } = this.#nms.httpServer;
    for (const server of [httpServer, httpsServer]) this.#guardRequests(server);
    for (const server of [wsServer, wssServer]) this.#guardUpgrades(server as Upgrader | undefined);
  }

  open(request: RelayRequest): RelaySession {
    const { rtmpServer } = this.#nms;
    return new NmsSession(request, (socket: RelaySocket) => rtmpServer.handleRequest(socket));
  }

  /** Everything is as it was before `guard`. Idempotent. */
  unguard(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** Puts a listener in the place of node-media-server's own; those of the application stay. */
  #replace<T>(server: EventEmitter | undefined, event: string, listener: (subject: T) => void): void {
    if (server === undefined) return;
    const { handleRequest } = this.#nms.rtmpServer;
    server.off(event, handleRequest);
    server.on(event, listener);
    this.#undo.push(() => {
      server.off(event, listener);
      server.on(event, handleRequest);
    });
  }

  #guardRequests(server: EventEmitter | undefined): void {
    if (server === undefined) return;
    const originals = server.listeners('request') as ((...args: unknown[]) => void)[];
    const guarded = (request: IncomingMessage, response: ServerResponse): void => {
      const path = pathOf(request);
      const flv = FLV_ENDING.test(path);
      if (flv && (request.method === 'POST' || !FLV_PATH.test(path))) refuse(request, response);
      else for (const original of originals) original.call(server, request, response);
    };
    for (const original of originals) server.off('request', original);
    server.on('request', guarded);
    this.#undo.push(() => {
      server.off('request', guarded);
      for (const original of originals) server.on('request', original);
    });
  }

  #guardUpgrades(server: Upgrader | undefined): void {
    if (server === undefined) return;
    const original = server.shouldHandle;
    server.shouldHandle = (request) => {
      const publishes = PUBLISHES.test(request.headers['sec-websocket-protocol'] ?? '');
      return !publishes && FLV_PATH.test(pathOf(request)) && original.call(server, request);
    };
    this.#undo.push(() => {
      server.shouldHandle = original;
    });
  }
}

/** What is left of a fragment, which no honest client sends, is not part of it. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split(/[?#]/, 1)[0]!;
}

/** What is still being sent is not read: the connection ends with the answer. */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json; charset=utf-8' };
  // HTTP/2 has no such header: there a stream ends by itself.
  if (request.httpVersionMajor < 2) headers['connection'] = 'close';
  response.writeHead(403, headers).end(REFUSAL);
}

function assertShape(nms: NodeMediaServerLike): void {
  const { rtmpServer, httpServer } = nms ?? {};
  const listeners = [rtmpServer?.tcpServer, rtmpServer?.tlsServer].filter((server) => server !== undefined);
  const known =
    typeof rtmpServer?.handleRequest === 'function' &&
    typeof httpServer === 'object' &&
    typeof nms.run === 'function' &&
    typeof nms.stop === 'function' &&
    listeners.every((server) =>
      ['connection', 'secureConnection'].some((event) =>
        server.listeners(event).includes(rtmpServer.handleRequest),
      ),
    );
  if (known) return;
  throw new HeadgateError(
    'HG_NMS_CHANGED',
    'attach takes a NodeMediaServer of node-media-server 4.4 that has not been attached yet: what was handed over has not the inner parts that are relied on',
  );
}
