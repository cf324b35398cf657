import { readFileSync } from 'node:fs';
import type net from 'node:net';
import tls from 'node:tls';
import type { Admission, ConnectionLease } from '../../core/admission/admission.ts';
import type { Reason } from '../../core/reasons.ts';
import type { Denial } from '../../core/verdict.ts';
import { monotonicMs } from '../../lib/clock.ts';
import { HeadgateError } from '../../lib/errors.ts';
import { listenTcp, type OpenSocket, type Peer } from './accept.ts';
import { type ConnectionOrigin, RtmpConnection } from './connection.ts';
import { QUIET_ROUND_MS } from './low-water.ts';
import type { RtmpServices } from './services.ts';

/**
 * The RTMP and RTMPS listeners and every connection they hold.
 *
 * Who closes whom: the server owns the listening sockets and the set of
 * connections; a connection leaves the set when its socket closes; `close`
 * destroys what is left.
 */

/** One read buffer for all plain connections: a read is consumed before the next one begins. */
const READ_BUFFER_BYTES = 65_536;

export interface RtmpAddress {
  readonly host: string;
  readonly port: number;
}

export interface RtmpsAddress extends RtmpAddress {
  readonly cert: string;
  readonly key: string;
}

/** Hears of every connection before it has a socket. */
export interface DoorWatcher {
  admitted(tookMs: number): void;
  refused(peer: Peer, protocol: 'rtmp' | 'rtmps', denial: Denial, now: number): void;
}

export class RtmpServer {
  readonly #services: RtmpServices;
  readonly #admission: Admission;
  readonly #door: DoorWatcher;
  readonly #connections = new Set<RtmpConnection>();
  readonly #handshaking = new Set<net.Socket>();
  readonly #listeners: net.Server[] = [];
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #quietTimer: NodeJS.Timeout;

  constructor(services: RtmpServices, admission: Admission, door: DoorWatcher) {
    this.#services = services;
    this.#admission = admission;
    this.#door = door;
    this.#quietTimer = setInterval(() => {
      for (const connection of this.#connections) connection.readIfQuiet();
    }, QUIET_ROUND_MS).unref();
  }

  get connections(): number {
    return this.#connections.size + this.#handshaking.size;
  }

  /** Connections by protocol, for the metrics. */
  connectionsOf(protocol: 'rtmp' | 'rtmps'): number {
    let count = protocol === 'rtmps' ? this.#handshaking.size : 0;
    for (const connection of this.#connections) if (connection.origin.protocol === protocol) count++;
    return count;
  }

  /** Listens for plain RTMP. Throws HG_LISTEN. */
  async listen(address: RtmpAddress): Promise<net.AddressInfo> {
    return this.#listen(address, 'rtmp', (lease, peer, open) => {
      const connection = this.#connection(lease, { ...peer, protocol: 'rtmp' });
      const socket = open({
        buffer: () => connection.nextBuffer(this.#readBuffer),
        callback: (length, buffer) => {
          connection.read(buffer, length);
          return true;
        },
      });
      connection.bind(socket);
    });
  }

  /** Listens for RTMP over TLS. Throws HG_TLS for an unusable certificate, HG_LISTEN for the address. */
  async listenTls(address: RtmpsAddress): Promise<net.AddressInfo> {
    const context = secureContext(address);
    return this.#listen(address, 'rtmps', (lease, peer, open) => {
      const raw = open();
      this.#handshaking.add(raw);
      const origin: ConnectionOrigin = { ...peer, protocol: 'rtmps' };
      const socket = new tls.TLSSocket(raw, { isServer: true, secureContext: context });
      let secured = false;
      const timer = setTimeout(() => {
        this.#refuse(origin, 'handshake_timeout', 'the TLS handshake was not finished in time');
        socket.destroy();
      }, this.#services.timeouts().handshake);
      socket.on('error', (error: NodeJS.ErrnoException) => {
        // A reset is an ordinary end; what OpenSSL complains of tells who publishes why it cannot.
        const code = error.code ?? '';
        if (!secured && code.startsWith('ERR_'))
          this.#refuse(origin, 'protocol_error', `the TLS handshake failed: ${code}`);
      });
      socket.once('close', () => {
        clearTimeout(timer);
        raw.destroy();
        if (secured) return;
        this.#handshaking.delete(raw);
        lease.release(monotonicMs());
      });
      socket.once('secure', () => {
        secured = true;
        clearTimeout(timer);
        this.#handshaking.delete(raw);
        // From here on a broken record leaves the socket open and deaf, and only this event tells.
        socket.on('_tlsError', () => socket.destroy());
        const connection = this.#connection(lease, origin);
        socket.on('data', (chunk: Buffer) => connection.read(chunk, chunk.length));
        connection.bind(socket);
      });
    });
  }

  /**
   * Takes over a connection that another server of this process has accepted,
   * TLS included, as if it had come in here. A refused one is destroyed.
   */
  adopt(socket: net.Socket, protocol: 'rtmp' | 'rtmps'): void {
    const peer = { ip: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    // Gone before anybody could look at it.
    if (peer.ip === '') socket.destroy();
    const lease = peer.ip === '' ? null : this.#admit(peer, protocol);
    if (lease === null) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    const connection = this.#connection(lease, { ...peer, protocol });
    socket.on('data', (chunk: Buffer) => connection.read(chunk, chunk.length));
    connection.bind(socket);
  }

  /** Ends what has overstayed its stage, and sets how reads are put together. Called by the control loop. */
  round(now: number, liveStreams: number): void {
    for (const connection of this.#connections) {
      connection.checkDeadline(now);
      connection.checkPeer(now);
      connection.aimReads(liveStreams);
    }
  }

  /** Those who publish are told. Listeners stay, so that admission tells newcomers why they are refused. */
  drain(): void {
    for (const connection of this.#connections) connection.drain();
  }

  /** Stops listening and ends every connection that is not saying farewell: nobody publishes any more. */
  dismiss(): void {
    this.#stopListening();
    for (const socket of this.#handshaking) socket.destroy();
    for (const connection of this.#connections) connection.dismiss();
  }

  /** Resolves when every connection has closed, or after `withinMs`. */
  async settled(withinMs: number): Promise<void> {
    const end = monotonicMs() + withinMs;
    while (this.#connections.size > 0 && monotonicMs() < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Stops listening and destroys every connection; resolves when all are gone. */
  async close(): Promise<void> {
    this.#stopListening();
    clearInterval(this.#quietTimer);
    for (const socket of this.#handshaking) socket.destroy();
    for (const connection of this.#connections) connection.destroy();
    while (this.#connections.size > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  #refuse(origin: ConnectionOrigin, reason: Reason, detail: string): void {
    this.#services.desk.refuseConnection(origin, reason, detail, monotonicMs());
  }

  #stopListening(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
  }

  #connection(lease: ConnectionLease, origin: ConnectionOrigin): RtmpConnection {
    const connection = new RtmpConnection(
      this.#services,
      origin,
      lease,
      (closed) => this.#connections.delete(closed),
      monotonicMs(),
    );
    this.#connections.add(connection);
    return connection;
  }

  #admit(peer: Peer, protocol: 'rtmp' | 'rtmps'): ConnectionLease | null {
    const now = monotonicMs();
    const verdict = this.#admission.connect(peer.ip, now);
    if (verdict.allowed) {
      this.#door.admitted(monotonicMs() - now);
      return verdict.lease;
    }
    this.#door.refused(peer, protocol, verdict, now);
    return null;
  }

  async #listen(
    address: RtmpAddress,
    protocol: 'rtmp' | 'rtmps',
    welcome: (lease: ConnectionLease, peer: Peer, open: OpenSocket) => void,
  ): Promise<net.AddressInfo> {
    const server = await listenTcp<ConnectionLease>(address, {
      admit: (peer) => this.#admit(peer, protocol),
      welcome,
    });
    this.#listeners.push(server);
    return server.address() as net.AddressInfo;
  }
}

function secureContext(address: RtmpsAddress): tls.SecureContext {
  try {
    return tls.createSecureContext({ cert: readFileSync(address.cert), key: readFileSync(address.key) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' || code === 'EACCES'
        ? `${message}: check the paths in listen.rtmps`
        : `${message}: check that listen.rtmps.key is the key of listen.rtmps.cert`;
    throw new HeadgateError('HG_TLS', `cannot use the certificate for RTMPS: ${why}`, { cause: error });
  }
}
