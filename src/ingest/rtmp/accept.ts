import net from 'node:net';
import { HeadgateError } from '../../lib/errors.ts';

/**
 * Accepts TCP connections before a socket object is made for them.
 *
 * A connection that is refused costs one system call to ask for its address
 * and one to close it; making a `net.Socket` first, to destroy it at once,
 * costs some ten times as much. Node offers no public hook at this point, so
 * this file, and no other, reaches under `net.Server`; what it relies on is
 * checked when the listener starts, and without it the public `connection`
 * event serves, only dearer.
 */

/** The part of Node's TCP handle that is used here. */
export interface TcpHandle {
  getpeername(out: { address?: string; port?: number }): number;
  setNoDelay(on: boolean): number;
  close(): void;
}

export interface Peer {
  readonly ip: string;
  readonly port: number;
}

/** Decides about a newcomer: true keeps the connection, false has it closed at once. */
export interface Doorkeeper<T> {
  /** null refuses */
  admit(peer: Peer): T | null;
  /** takes over an admitted connection; `open` makes its socket */
  welcome(admitted: T, peer: Peer, open: OpenSocket): void;
}

/** Reads land in a shared buffer and no stream machinery runs; `buffer` gives the next one when it changes. */
export interface SharedRead {
  buffer(): Buffer | undefined;
  callback(length: number, buffer: Uint8Array): boolean;
}

/** Makes the socket. */
export type OpenSocket = (onread?: SharedRead) => net.Socket;

/** Connections the kernel may hold ready for us. Above a reconnect storm of every publisher at once. */
const BACKLOG = 1024;

interface RawServer {
  _handle?: { onconnection?: (error: number, handle: TcpHandle | undefined) => void } | null;
}

export async function listenTcp<T>(
  address: { host: string; port: number },
  doorkeeper: Doorkeeper<T>,
): Promise<net.Server> {
  const server = net.createServer({ pauseOnConnect: true, noDelay: true });
  // Without the raw hook every connection arrives here as a finished socket.
  server.on('connection', (socket) => welcomeSocket(socket, doorkeeper));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, resolve);
  });
  server.removeAllListeners('error');
  // A failing accept (out of descriptors) must not end the process; the next one may succeed.
  server.on('error', () => {});
  const handle = (server as unknown as RawServer)._handle;
  if (handle && typeof handle.onconnection === 'function') {
    handle.onconnection = (error, client) => {
      if (error === 0 && client !== undefined) welcomeHandle(client, doorkeeper);
    };
  }
  return server;
}

function welcomeHandle<T>(handle: TcpHandle, doorkeeper: Doorkeeper<T>): void {
  const out: { address?: string; port?: number } = {};
  const failed = handle.getpeername(out) !== 0 || out.address === undefined;
  const peer = { ip: plainIp(out.address ?? ''), port: out.port ?? 0 };
  const admitted = failed ? null : doorkeeper.admit(peer);
  if (admitted === null) {
    handle.close();
    return;
  }
  handle.setNoDelay(true);
  doorkeeper.welcome(admitted, peer, (onread) => {
    const options = onread === undefined ? { handle } : { handle, onread };
    return new net.Socket(options as unknown as net.SocketConstructorOpts);
  });
}

function welcomeSocket<T>(socket: net.Socket, doorkeeper: Doorkeeper<T>): void {
  const peer = { ip: plainIp(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
  const admitted = peer.ip === '' ? null : doorkeeper.admit(peer);
  if (admitted === null) {
    socket.destroy();
    return;
  }
  doorkeeper.welcome(admitted, peer, (onread) => {
    if (onread !== undefined) {
      const read = onread.callback;
      socket.on('data', (chunk: Buffer) => {
        if (read(chunk.length, chunk) === false) socket.pause();
      });
    }
    socket.resume();
    return socket;
  });
}

/** How a dual-stack listener names an IPv4 peer: in `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
const MAPPED = '::ffff:';

/** One peer has one name, whichever listener it came in through. */
function plainIp(address: string): string {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}

/** The descriptor under a plain TCP socket; -1 where there is none to be had. */
export function descriptorOf(socket: net.Socket): number {
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
  return fd ?? -1;
}

/** One line an operator can act on. */
export function listenError(
  address: { host: string; port: number },
  error: NodeJS.ErrnoException,
): HeadgateError {
  const place = `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
  const advice: Record<string, string> = {
    EADDRINUSE: 'the port is already in use: stop the other program or change the port in `listen`',
    EACCES: 'no permission: ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher port',
    EADDRNOTAVAIL: 'this machine has no such address: use one of its own, or 0.0.0.0 for all',
    ENOTFOUND: 'the host name cannot be resolved: use an IP address',
  };
  const why = advice[error.code ?? ''] ?? error.message;
  return new HeadgateError('HG_LISTEN', `cannot listen on ${place}: ${why}`, { cause: error });
}
