import type { EffectiveLimits, StreamLimits } from '../core/limits.ts';
import { RateRing } from '../core/meter/rate-ring.ts';
import { FLAG, STREAM } from '../core/meter/slab-layout.ts';
import { Enforcement, type EpisodeOpened, firstReason, reasonOfSqueeze } from '../core/policy/enforce.ts';
import type { Reservation } from '../core/pressure/reservation-ledger.ts';
import { type Reason, scopeOf } from '../core/reasons.ts';
import { type Ceiling, canBeSlowed, type Protocol, type StreamState } from '../core/stream.ts';
import type { OutboxReader } from '../native/outbox.ts';
import type { Budgets } from './budgets.ts';
import type { Broadcast } from './playback/playback.ts';
import type { StreamConnection } from './ports.ts';
import { StreamCeiling } from './stream-ceiling.ts';
import { type StreamLimitChange, StreamOverride } from './stream-override.ts';
import type { StreamRows } from './stream-rows.ts';

/** Who a stream is; never changes while it lives. */
export interface StreamIdentity {
  readonly id: string;
  readonly protocol: Protocol;
  readonly app: string;
  readonly name: string;
  readonly path: string;
  readonly client: string;
  readonly ip: string;
  /** the address as limits see it: IPv6 by prefix */
  readonly ipKey: string;
  readonly port: number;
  /** names the stream key without being it, for cooldowns */
  readonly keyId: string;
}

/** What the config says of a stream's client; a reload may change it. */
export interface ClientStanding {
  readonly tier: string | null;
  readonly priority: number;
}

/** Who hears what a stream's control step found. */
export interface StreamWatcher {
  /** `limits` are those that were exceeded: of a policy that only observes, its own */
  episodeOpened(stream: LiveStream, episode: EpisodeOpened, limits: StreamLimits, now: number): void;
  cutDue(stream: LiveStream, reason: Reason, now: number): void;
}

/**
 * One live publisher, whatever its protocol: its rows in the slab, its limits,
 * and its control step. The data plane counts into the rows; everything here
 * runs a few times a second or when somebody asks. The governor sees it as a
 * `GovernedStream`.
 */
export class LiveStream {
  readonly identity: StreamIdentity;
  readonly connection: StreamConnection;
  readonly startedAt: number;
  readonly startedWallMs: number;
  readonly startedAtIso: string;
  readonly ring: RateRing;
  readonly #rows: StreamRows;
  readonly #lossy: boolean;
  readonly #enforcement: Enforcement;
  readonly #observer = new Enforcement();
  readonly #override = new StreamOverride();
  readonly #ceiling = new StreamCeiling();
  #configured: EffectiveLimits;
  #limits: StreamLimits;
  /** `#limits` under the ceiling: what the slab is set to */
  #held: StreamLimits;
  #broadcast: Broadcast | null = null;
  #state: StreamState = 'live';
  readonly #dropped = new Map<Reason, number>();
  #droppedSeen = 0;
  /** control steps that found a limit of an observing policy exceeded */
  #observedViolations = 0;
  /** ms of pauses that have ended, told by the pacer, by the level that held */
  readonly heldMs = { stream: 0, client: 0, ip: 0, global: 0 };
  #heldUntil = 0;
  #steppedAt = 0;
  #standing: ClientStanding;
  /** what is kept free for it until its load shows; given back by the publish desk */
  readonly reservation: Reservation | null;
  width: number | null = null;
  height: number | null = null;

  constructor(
    identity: StreamIdentity,
    standing: ClientStanding,
    limits: EffectiveLimits,
    rows: StreamRows,
    connection: StreamConnection,
    clock: { now: number; wallMs: number },
    reservation: Reservation | null = null,
  ) {
    this.identity = identity;
    this.#lossy = !canBeSlowed(identity.protocol);
    this.#enforcement = new Enforcement(this.#lossy);
    this.#standing = standing;
    this.connection = connection;
    this.startedAt = clock.now;
    this.startedWallMs = clock.wallMs;
    this.startedAtIso = new Date(clock.wallMs).toISOString();
    this.#rows = rows;
    this.#configured = limits;
    this.#limits = limits.stream;
    this.#held = limits.stream;
    this.reservation = reservation;
    this.ring = new RateRing(limits.stream.bitrate_window);
  }

  get id(): string {
    return this.identity.id;
  }

  /** Its row in the stream table. */
  get slot(): number {
    return this.#rows.slot;
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Limits in force, overrides included. */
  get limits(): StreamLimits {
    return this.#limits;
  }

  /** The same as they are held now: under a ceiling, lower. */
  get held(): StreamLimits {
    return this.#held;
  }

  /** Null while its own limit holds. */
  get ceiling(): Ceiling | null {
    return this.#ceiling.current;
  }

  get standing(): ClientStanding {
    return this.#standing;
  }

  get effective(): EffectiveLimits {
    return this.#configured;
  }

  get override(): StreamOverride {
    return this.#override;
  }

  get broadcast(): Broadcast | null {
    return this.#broadcast;
  }

  /** A field of its stream row, see `STREAM`. */
  read(field: number): number {
    return this.#rows.read(field);
  }

  /** ms since the last media message; a pause does not count, for then it is us who are silent. */
  silentMs(now: number): number {
    if (this.connection.paused) return 0;
    return now - Math.max(this.startedAt, this.#heldUntil, this.read(STREAM.LAST_PACKET_AT));
  }

  /** Excesses counted so far, those of observing policies included. */
  get violations(): number {
    return this.read(STREAM.VIOLATIONS) + this.#observedViolations;
  }

  // -- what the governor sees of it ---------------------------------------------------------------

  get path(): string {
    return this.identity.path;
  }

  get client(): string {
    return this.identity.client;
  }

  get tier(): string | null {
    return this.#standing.tier;
  }

  get priority(): number {
    return this.#standing.priority;
  }

  /** Never limited: its address is on the `allow` list. */
  get exempt(): boolean {
    return (this.read(STREAM.FLAGS) & FLAG.EXEMPT) !== 0;
  }

  /** False where its limits are only observed. */
  get governed(): boolean {
    return this.#limits.on_exceed !== 'observe';
  }

  limitBps(): number {
    return this.#limits.max_bitrate;
  }

  /** What comes in, dropped or not: one that drops does not want less. bits/s */
  observedBps(): number {
    return this.ring.offeredBps();
  }

  /** Slowed or dropped just now by a shared budget, its share of one, or shedding. */
  pressing(): boolean {
    return this.#enforcement.squeezed;
  }

  /** Since it began, bits/s. */
  averageBps(now: number): number {
    return (this.read(STREAM.BYTES) * 8000) / Math.max(1, now - this.startedAt);
  }

  /** Media kept for players that join, bytes. */
  keptBytes(): number {
    return this.read(STREAM.GOP_BYTES);
  }

  /** Budget of its client, bits/s. */
  clientBps(): number {
    return this.#configured.client.max_bandwidth;
  }

  /** Holds it below its own limit for a while; null = that limit holds again. */
  setCeiling(ceiling: Ceiling | null, now: number): void {
    if (this.#ceiling.set(ceiling, now)) this.#hold(now);
  }

  // -- playback -----------------------------------------------------------------------------------

  /** Players may come from now on. */
  broadcastOn(broadcast: Broadcast): void {
    this.#broadcast = broadcast;
  }

  /** Admitted messages are handed out only while somebody plays. */
  playersChanged(count: number): void {
    this.#rows.setFlag(FLAG.CONSUMED, count > 0);
  }

  /** Hands the outbox's current message to the players. */
  deliver(outbox: OutboxReader): void {
    if (this.#broadcast !== null && this.#broadcast.players > 0) this.#broadcast.deliver(outbox.message());
  }

  /** What onMetaData says of the picture, pixels. */
  describe(width: number | null, height: number | null): void {
    this.width = width;
    this.height = height;
  }

  // -- limits -------------------------------------------------------------------------------------

  /** The config changed: new limits apply from the next packet on, under any override in force. */
  configure(standing: ClientStanding, limits: EffectiveLimits, budgets: Budgets, now: number): void {
    this.#standing = standing;
    this.#configured = limits;
    budgets.setClient(this.identity.client, limits.client.max_bandwidth, now);
    this.#limitsChanged(now);
  }

  /** Temporary limits of an operator; `untilMs` is monotonic, Infinity = until the stream ends. */
  overrideLimits(change: StreamLimitChange, untilMs: number, now: number): void {
    this.#override.set(change, untilMs);
    this.#limitsChanged(now);
  }

  #limitsChanged(now: number): void {
    const next = this.#override.apply(this.#configured.stream);
    if (JSON.stringify(next, finite) === JSON.stringify(this.#limits, finite)) return;
    this.#limits = next;
    this.#enforcement.reset();
    this.ring.setWindow(next.bitrate_window);
    this.#hold(now);
  }

  /** Brings limits and ceiling into the slab. */
  #hold(now: number): void {
    const before = this.#held;
    this.#held = this.#ceiling.over(this.#limits);
    this.#rows.setLimits(this.#held, now);
    // A ceiling that comes down a little, four times a second, ends no pause; whatever else changed may.
    const lowered = before.on_exceed === this.#held.on_exceed && this.#held.max_bitrate < before.max_bitrate;
    if (!lowered || this.#ceiling.current === null) this.connection.recheck(now);
  }

  // -- the control step ---------------------------------------------------------------------------

  /** Samples the counters, finds episodes, and says when it is time to cut. Some microseconds. */
  step(watcher: StreamWatcher, idleMs: number, now: number): void {
    if (this.#state === 'closing') return;
    this.#steppedAt = now;
    this.#rows.sampleInto(this.ring, now);
    if (this.#override.expire(now)) this.#limitsChanged(now);
    const exceeded = this.#ceiling.blame(this.#rows.takeExceeded(), this.#limits, now);
    this.#attributeDrops(exceeded);
    const { opened, cut } = this.#enforcement.step(exceeded, this.#limits, now);
    for (const episode of opened) watcher.episodeOpened(this, episode, this.#limits, now);
    this.#observe(watcher, now);
    this.#holdExactly(now);
    this.#state = this.#stateNow();
    if (cut !== null) watcher.cutDue(this, cut, now);
    else if (this.silentMs(now) >= idleMs) watcher.cutDue(this, 'idle_timeout', now);
  }

  /** It has been told to go; nothing is decided about it any more. */
  closing(): void {
    this.#state = 'closing';
  }

  /** Gives back every row and share. Idempotent. */
  release(): void {
    this.#broadcast?.end();
    this.#broadcast = null;
    this.#rows.release();
  }

  /** The pacer reports a pause that ended. */
  heldBack(ms: number, now: number): void {
    this.#heldUntil = now;
    const scope = scopeOf(this.#reasonOf(this.#enforcement.open));
    // Shedding has no level of its own; it is the server that is short of something.
    this.heldMs[scope in this.heldMs ? (scope as keyof LiveStream['heldMs']) : 'global'] += ms;
  }

  /** Video access units not admitted, by what they exceeded. */
  droppedByReason(): ReadonlyMap<Reason, number> {
    this.#attributeDrops(this.#ceiling.blame(this.read(STREAM.EXCEEDED), this.#limits, this.#steppedAt));
    return this.#dropped;
  }

  /** Drops since the last look are put down to the first constraint that was exceeded meanwhile. */
  #attributeDrops(exceeded: number): void {
    const dropped = this.read(STREAM.DROPPED_FRAMES);
    const fresh = dropped - this.#droppedSeen;
    if (fresh <= 0) return;
    this.#droppedSeen = dropped;
    const reason = this.#reasonOf(exceeded | this.#enforcement.open);
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + fresh);
  }

  /** The first reason in a bit set; of an empty one, what holds its bitrate. */
  #reasonOf(bits: number): Reason {
    const by = this.#ceiling.blamed(this.#limits, this.#steppedAt);
    return firstReason(bits) ?? (by === null ? 'stream_bitrate' : reasonOfSqueeze(by));
  }

  /** Policies in `mode: observe`: what would have been exceeded, said but not done. */
  #observe(watcher: StreamWatcher, now: number): void {
    const watched = this.#configured.observed;
    let bits = 0;
    if (watched.max_bitrate !== undefined && this.ring.bitrateBps() > watched.max_bitrate) bits |= 1;
    const packets = watched.max_packets_per_sec;
    if (packets !== undefined && this.ring.packetsPerSec() > packets) bits |= 2;
    if (watched.max_fps !== undefined && this.ring.wallFps() > watched.max_fps) bits |= 4;
    if (bits !== 0) this.#observedViolations++;
    else if (!this.#observer.exceeding) return;
    const limits = { ...this.#limits, ...watched, on_exceed: 'observe' } as const;
    const { opened } = this.#observer.step(bits, limits, now);
    for (const episode of opened) watcher.episodeOpened(this, episode, limits, now);
  }

  /**
   * A stream that keeps exceeding is held to the very limit: what is left of
   * its burst allowance is taken away once every half second of a whole window
   * was above the limit.
   */
  #holdExactly(now: number): void {
    const { max_bitrate, bitrate_window, on_exceed } = this.#held;
    // Not under drop: without any burst a keyframe would never pass again, and nothing after it would.
    if (on_exceed !== 'throttle' || this.#lossy) return;
    if (this.ring.sustainedAbove(max_bitrate, bitrate_window)) this.#rows.forfeitBurst(now);
  }

  #stateNow(): StreamState {
    if (!this.#enforcement.exceeding) return 'live';
    const { on_exceed } = this.#limits;
    if (on_exceed === 'drop') return 'dropping';
    if (on_exceed === 'observe') return 'exceeding';
    const held = on_exceed === 'throttle' || this.#enforcement.squeezed;
    if (!held) return 'exceeding';
    return this.#lossy ? 'dropping' : 'throttled';
  }
}

/** JSON has no Infinity; as text it compares. */
function finite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
