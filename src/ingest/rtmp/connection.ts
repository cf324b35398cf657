import type { Socket } from 'node:net';
import type { ConnectionLease } from '../../core/admission/admission.ts';
import type { Reason } from '../../core/reasons.ts';
import type { Protocol } from '../../core/stream.ts';
import { monotonicMs } from '../../lib/clock.ts';
import { IO } from '../../native/binding.ts';
import type { LiveStream } from '../live-stream.ts';
import type { CutOrder, TransportFigures } from '../ports.ts';
import { descriptorOf } from './accept.ts';
import { type CommandPeer, CommandSession, rejectionCode } from './commands.ts';
import { Handshake } from './handshake.ts';
import { LowWater, lowWaterBytes } from './low-water.ts';
import { Pacer } from './pacer.ts';
import { readSliceBytes } from './read-slice.ts';
import * as replies from './replies.ts';
import type { RtmpServices } from './services.ts';

/**
 * One RTMP connection, from its first byte to its close.
 *
 * The byte road: socket read -> handshake, then the native demuxer ->
 * messages to the command session or the players, and a delay that the pacer
 * turns into a pause. The connection owns the socket, its demuxer and its
 * admission lease, and gives all three back when the socket closes, whatever
 * happened before.
 */

/** Where a connection stands; each stage but `live` and `closing` has a deadline. */
type Stage = 'handshake' | 'command' | 'live' | 'playing' | 'closing';

/** After a farewell, how long to go on reading and discarding, so that the kernel does not reset it away, ms. */
const LINGER_MS = 1_000;

/**
 * Reply bytes a peer may leave unread before it is dropped: all replies of a
 * whole session are under 8 KiB, players have a queue bound of their own.
 */
const REPLIES_UNREAD_MAX = 64 * 1024;

/** Bytes between acknowledgements when the peer has not said (RTMP 1.0 section 5.4.3); what most servers use. */
const ACK_WINDOW_BYTES = 2_500_000;

/** A peer may not ask for an acknowledgement more often than this: each costs a write. */
const ACK_WINDOW_MIN_BYTES = 65_536;

const NO_BYTES = new Uint8Array(0);

/** Where the addon writes figures of one connection; read at once. */
const TCP_FIGURES = new Float64Array(2);

export interface ConnectionOrigin {
  readonly ip: string;
  readonly port: number;
  readonly protocol: Extract<Protocol, 'rtmp' | 'rtmps'>;
}

export class RtmpConnection implements CommandPeer {
  readonly origin: ConnectionOrigin;
  readonly lease: ConnectionLease;
  readonly #services: RtmpServices;
  readonly #onClosed: (connection: RtmpConnection) => void;
  readonly #session: CommandSession;
  readonly #pacer: Pacer;
  #socket: Socket | null = null;
  #handshake: Handshake | null = new Handshake();
  #demuxer = -1;
  #stage: Stage = 'handshake';
  #deadlineAt: number;
  #stream: LiveStream | null = null;
  /** size of the buffer that reads land in now */
  #readBytes = 0;
  /** null unless it publishes over plain TCP */
  #lowWater: LowWater | null = null;
  #received = 0;
  #acknowledged = 0;
  #ackWindow = ACK_WINDOW_BYTES;

  /** `closed` is called once, when the socket is gone and everything has been given back. */
  constructor(
    services: RtmpServices,
    origin: ConnectionOrigin,
    lease: ConnectionLease,
    closed: (connection: RtmpConnection) => void,
    now: number,
  ) {
    this.#services = services;
    this.#onClosed = closed;
    this.origin = origin;
    this.lease = lease;
    this.#deadlineAt = now + services.timeouts().handshake;
    this.#session = new CommandSession(this, services);
    this.#pacer = new Pacer(
      (paused) => (paused ? this.#socket?.pause() : this.#socket?.resume()),
      (at) => this.#owed(at),
    );
  }

  /** Binds the socket once it exists; from now on its close is the end of this connection. */
  bind(socket: Socket): void {
    this.#socket = socket;
    // A reset by the peer is an ordinary end; `close` follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  /** The buffer for the next read, when it is another than for the last one. */
  nextBuffer(shared: Buffer): Buffer | undefined {
    const slice = this.#stream === null ? shared.length : readSliceBytes(this.#stream.held);
    const bytes = Math.min(shared.length, slice);
    if (bytes === this.#readBytes) return undefined;
    this.#readBytes = bytes;
    return shared.subarray(0, bytes);
  }

  /** One socket read: `length` bytes at the start of `input`, valid only during the call. */
  read(input: Uint8Array, length: number): void {
    if (this.#stage === 'closing') return;
    const now = monotonicMs();
    this.#received += length;
    let offset = 0;
    if (this.#handshake !== null) {
      const used = this.#shakeHands(this.#handshake, input.subarray(0, length), now);
      if (used < 0) return;
      offset = used;
    }
    if (offset < length) this.#demux(input, offset, length - offset, now);
    this.#lowWater?.touched();
    if (this.#received - this.#acknowledged >= this.#ackWindow) this.#acknowledge();
  }

  // -- what the command session needs -------------------------------------------------------------

  get demuxer(): number {
    return this.#demuxer;
  }

  get socket(): Socket | null {
    return this.#socket;
  }

  get unread(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Sends an encoded reply; a peer that reads none of them is dropped. */
  reply(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (socket === null || socket.destroyed || this.#stage === 'closing') return;
    socket.write(bytes);
    if (this.#stage !== 'playing' && socket.writableLength > REPLIES_UNREAD_MAX) {
      this.violate('replies are not being read');
    }
  }

  /** The peer publishes from now on: no stage deadline, its stream has an idle timeout instead. */
  published(stream: LiveStream): void {
    this.#stream = stream;
    this.#stage = 'live';
    this.#deadlineAt = Number.POSITIVE_INFINITY;
    if (this.origin.protocol === 'rtmp' && this.#socket !== null) {
      this.#lowWater = new LowWater(this.#services.setReceiveLowWater, descriptorOf(this.#socket));
    }
  }

  /** The peer plays from now on; a dead one is found by its queue. */
  playing(): void {
    this.#stage = 'playing';
    this.#deadlineAt = Number.POSITIVE_INFINITY;
  }

  /** The publisher said goodbye in words; the socket may stay a little. */
  unpublish(now: number): void {
    const stream = this.#stream;
    if (stream === null) return;
    this.#stream = null;
    this.#readAtOnce();
    this.#pacer.clear(now);
    this.#services.engine.detach(this.#demuxer);
    this.#services.desk.ended(stream, 'unpublished', now);
    this.#stage = 'command';
    this.#deadlineAt = now + this.#services.timeouts().publish;
  }

  setAckWindow(bytes: number): void {
    this.#ackWindow = Math.max(ACK_WINDOW_MIN_BYTES, bytes);
  }

  /** Says farewell and closes: flushed first, then destroyed. */
  farewell(...messages: Uint8Array[]): void {
    const socket = this.#socket;
    if (this.#stage === 'closing' || socket === null) return;
    this.#stage = 'closing';
    // Its name must be free behind the gate as soon as it is here.
    this.#session.leaveRelay();
    this.#readAtOnce();
    this.#pacer.clear(monotonicMs());
    this.#releaseDemuxer();
    for (const message of messages) socket.write(message);
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }

  /** The peer broke the protocol: receipt, one status line, close. */
  violate(detail: string): void {
    this.#refuse('protocol_error', detail);
  }

  // -- StreamConnection ---------------------------------------------------------------------------

  get paused(): boolean {
    return this.#pacer.paused;
  }

  /** Loss is 0 by the nature of TCP: what is lost on the way is sent again. */
  transport(): TransportFigures {
    const fd = this.#socket === null ? -1 : descriptorOf(this.#socket);
    const known = fd >= 0 && this.#services.tcpFigures(fd, TCP_FIGURES);
    if (!known) return { rtt_ms: null, loss: 0, retransmitted: null };
    const [rttMs = 0, resent = 0] = TCP_FIGURES;
    return { rtt_ms: Math.round(rttMs * 100) / 100, loss: 0, retransmitted: resent };
  }

  get orphaned(): boolean {
    const fd = this.#socket === null ? -1 : descriptorOf(this.#socket);
    return fd >= 0 && this.#services.peerGone(fd);
  }

  probe(): void {
    this.reply(replies.ping(Math.floor(monotonicMs()) % 2 ** 32));
  }

  throttledMs(now: number): number {
    return this.#pacer.totalMs(now);
  }

  recheck(now: number): void {
    this.#pacer.recheck(now);
  }

  cut(order: CutOrder): void {
    const code = rejectionCode(order.reason);
    this.#stream = null;
    this.farewell(replies.onStatus(this.#session.publishStreamId, 'error', code, order.notice));
  }

  // -- deadlines, watched by the server -----------------------------------------------------------

  /** Ends a connection that is stuck in a stage. Cheap: called for every connection a few times a second. */
  checkDeadline(now: number): void {
    if (now < this.#deadlineAt || this.#stage === 'closing') return;
    if (this.#stage === 'handshake')
      this.#refuse('handshake_timeout', 'the RTMP handshake was not finished in time');
    else if (this.#session.finished) this.farewell();
    else this.#refuse('publish_timeout', 'connected, but neither published nor played in time');
  }

  /** Ends a publisher that left while it was held back for longer than it may be silent: a paused socket hears of no end. */
  checkPeer(now: number): void {
    if (this.#pacer.heldMs(now) >= this.#services.timeouts().idle && this.orphaned) this.destroy();
  }

  /** How much is let come together before a read, by how busy the server is. A few times a second. */
  aimReads(liveStreams: number): void {
    if (this.#lowWater === null || this.#stream === null) return;
    this.#lowWater.aim(lowWaterBytes(this.#stream.ring.bitrateBps(), liveStreams));
  }

  /** Every `QUIET_ROUND_MS`: a socket that has come to rest below its mark is read all the same. */
  readIfQuiet(): void {
    this.#lowWater?.round();
  }

  /** The server drains: a publisher is told. Who has not published yet is refused when it tries. */
  drain(): void {
    if (this.#stage !== 'live') return;
    this.reply(
      replies.onStatus(
        this.#session.publishStreamId,
        'warning',
        'NetConnection.Connect.AppShutdown',
        'headgate: draining: this server is shutting down, publish elsewhere',
      ),
    );
  }

  /** Ends it now, unless it is saying farewell already. */
  dismiss(): void {
    if (this.#stage !== 'closing') this.destroy();
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  // -- the byte road ------------------------------------------------------------------------------

  /** Returns the bytes of `input` that belonged to the handshake, or -1 when the connection is over. */
  #shakeHands(handshake: Handshake, input: Uint8Array, now: number): number {
    const step = handshake.push(input);
    if (step.problem !== null) {
      this.#refuse('protocol_error', step.problem);
      return -1;
    }
    if (step.output !== null) this.#socket?.write(step.output);
    if (!step.done) return input.length;
    try {
      this.#demuxer = this.#services.engine.open();
    } catch {
      this.#refuse('global_connections', 'the engine has no room for another connection');
      return -1;
    }
    this.#handshake = null;
    this.#stage = 'command';
    this.#deadlineAt = now + this.#services.timeouts().publish;
    return step.consumed;
  }

  /** Feeds the demuxer, hands out what it found, and pauses for the longest delay it asked for. */
  #demux(input: Uint8Array, start: number, count: number, now: number): void {
    const { engine, io } = this.#services;
    let offset = start;
    let left = count;
    let delayMs = 0;
    for (;;) {
      const delay = engine.feed(this.#demuxer, input, offset, left, now);
      const consumed = io[IO.CONSUMED] as number;
      const problem = io[IO.ERROR] as number;
      const more = io[IO.MORE] !== 0;
      if (io[IO.EVENTS] !== 0) this.#session.dispatch(this.#services.outbox, io[IO.EVENTS] as number, now);
      if (this.#demuxer < 0) return;
      if (delay === -1) {
        this.violate(`malformed RTMP: ${this.#services.engineErrors[problem] ?? problem}`);
        return;
      }
      delayMs = Math.max(delayMs, delay);
      offset += consumed;
      left -= consumed;
      if (left === 0 && !more) break;
    }
    // Without a stream it is the engine's own pace, for bytes that nobody meters.
    if (delayMs > 0) this.#pacer.pauseFor(delayMs, now, this.#stream);
  }

  /** What is still owed, ms, to the stream's limits and to the engine's own pace: feeding nothing tells the latter. */
  #owed(now: number): number {
    const { engine } = this.#services;
    if (this.#demuxer < 0) return 0;
    const paceMs = Math.max(0, engine.feed(this.#demuxer, NO_BYTES, 0, 0, now));
    return this.#stream === null ? paceMs : Math.max(paceMs, engine.owed(this.#stream.slot, now));
  }

  #acknowledge(): void {
    this.#acknowledged = this.#received;
    this.reply(replies.acknowledgement(this.#received % 2 ** 32));
  }

  #refuse(reason: Reason, detail: string): void {
    const now = monotonicMs();
    const stream = this.#stream;
    if (stream !== null) {
      this.#services.desk.cut(stream, { reason, detail, cooldownMs: 0 }, now);
      return;
    }
    const notice = this.#services.desk.refuseConnection(this.origin, reason, detail, now);
    if (this.#stage === 'handshake') this.destroy();
    else {
      // Before connect was answered the peer still reads chunks of 128 bytes.
      this.farewell(
        replies.setChunkSize(),
        replies.onStatus(0, 'error', 'NetConnection.Connect.Rejected', notice),
      );
    }
  }

  #readAtOnce(): void {
    this.#lowWater?.aim(1);
    this.#lowWater = null;
  }

  #releaseDemuxer(): void {
    if (this.#demuxer >= 0) this.#services.engine.close(this.#demuxer);
    this.#demuxer = -1;
    this.#handshake = null;
  }

  #closed(): void {
    const now = monotonicMs();
    this.#lowWater = null;
    this.#stage = 'closing';
    this.#pacer.clear(now);
    this.#session.closed();
    const stream = this.#stream;
    this.#stream = null;
    if (stream !== null) this.#services.desk.ended(stream, 'connection closed', now);
    this.#releaseDemuxer();
    this.lease.release(now);
    this.#onClosed(this);
  }
}
