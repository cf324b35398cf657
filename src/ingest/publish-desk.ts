import { randomInt } from 'node:crypto';
import type { Admission, ConnectionLease, PublishLease } from '../core/admission/admission.ts';
import { CAP_RETRY_HINT_MS } from '../core/admission/denials.ts';
import type { PublishRequest as AdmissionRequest } from '../core/admission/questions.ts';
import type { EffectiveLimits } from '../core/limits.ts';
import type { Slab } from '../core/meter/slab.ts';
import type { PolicyResolver } from '../core/policy/resolve.ts';
import { type Reason, scopeOf } from '../core/reasons.ts';
import { preemptedDetail } from '../core/shedding/causes.ts';
import { canBeSlowed, type Protocol } from '../core/stream.ts';
import type { AdmissionVerdict, Denial, Receipt } from '../core/verdict.ts';
import { monotonicMs, wallMs } from '../lib/clock.ts';
import type { Budgets } from './budgets.ts';
import { detailOf, noticeOf, serverDenial } from './denial-words.ts';
import { Expectations } from './expectations.ts';
import { isGhost, isSamePublisher } from './ghost.ts';
import type { IdentityDirectory, IdentityRefusal, ResolvedIdentity } from './identity.ts';
import { LiveStream, type StreamIdentity } from './live-stream.ts';
import type { Playback } from './playback/playback.ts';
import type {
  Decision,
  DecisionRecorder,
  DecisionSubject,
  Newcomer,
  PressureDesk,
  StreamConnection,
  StreamSource,
} from './ports.ts';
import { weakerThan } from './preemption.ts';
import { splitName } from './publish-name.ts';
import type { StreamRegistry } from './registry.ts';
import { StreamRows } from './stream-rows.ts';
import type { StreamTally } from './stream-tally.ts';

/**
 * Where a publisher of any protocol asks to be let in, and where its stream
 * ends. The order is identity, effective limits, what the machine can bear,
 * admission, rows in the slab, registration; only then does the protocol say yes to the encoder.
 */

/** Who would publish what, as he says it. */
export interface PublishClaim {
  readonly ip: string;
  readonly app: string;
  /** stream name as the encoder gave it, query included; may be a secret */
  readonly name: string;
}

export interface PublishRequest extends PublishClaim {
  readonly protocol: Protocol;
  readonly port: number;
  readonly connection: StreamConnection;
  readonly lease: ConnectionLease;
  readonly source: StreamSource;
}

export type PublishAnswer =
  | { readonly ok: true; readonly stream: LiveStream }
  | { readonly ok: false; readonly reason: Reason; readonly retryAfterMs: number; readonly notice: string };

/** A publisher, once it is known who he is and what he would publish. */
interface Named {
  readonly app: string;
  readonly identity: ResolvedIdentity;
  readonly newcomer: Newcomer;
}

export interface CutRequest {
  readonly reason: Reason;
  readonly detail: string;
  /** refuses key and address for so long afterwards; null = the stream's own `cooldown` */
  readonly cooldownMs: number | null;
  /** what it is told of when to return, ms; absent = the cooldown */
  readonly retryAfterMs?: number;
  /** what exceeded what, where a limit did */
  readonly limit?: number | null;
  readonly observed?: number | null;
  readonly windowMs?: number | null;
}

export interface DeskServices {
  readonly admission: Admission;
  readonly slab: Slab;
  readonly budgets: Budgets;
  readonly registry: StreamRegistry;
  readonly playback: Playback;
  readonly decisions: DecisionRecorder;
  readonly tally: StreamTally;
  readonly pressure: PressureDesk;
  /** both are exchanged whole by a reload */
  identities(): IdentityDirectory;
  resolver(): PolicyResolver;
  /** whether a publisher may take the place of one of lower priority */
  preempts(): boolean;
  /** bandwidth of one address, bits/s */
  ipBps(): number;
}

export class PublishDesk {
  readonly #services: DeskServices;
  readonly #leases = new Map<LiveStream, PublishLease>();
  readonly #expectations = new Expectations();

  constructor(services: DeskServices) {
    this.#services = services;
  }

  /** Lets a publisher in, or says why not; a refusal is written down and has taken nothing. */
  publish(request: PublishRequest, now: number, beganMs: number): PublishAnswer {
    const { app, identity } = this.#identify(request);
    if (!identity.ok) {
      return this.#refuse(request, null, serverDenial(identity.reason, request.ip), identity.detail, now);
    }
    const path = `/${app}/${identity.publicName}`;
    const limits = this.#services.resolver().resolve({
      app,
      stream: identity.publicName,
      protocol: request.protocol,
      ip: request.ip,
      tier: identity.tier,
      client: identity.client,
    });
    const occupant = this.#services.registry.at(path);
    const held = occupant === undefined ? undefined : this.#leases.get(occupant);
    const returned = occupant !== undefined && isSamePublisher(occupant.identity, identity);
    const takeover = returned && isGhost(occupant, now);
    // Should it be dead after all, the next attempt finds it so.
    if (returned && !takeover) occupant.connection.probe();
    const subject = { path, client: identity.client };
    const newcomer: Newcomer = {
      path,
      protocol: request.protocol,
      priority: identity.priority,
      exempt: request.lease.exempt,
      expectedBps: this.#expectations.of(identity.keyId, limits.stream.max_bitrate),
    };
    const asked: AdmissionRequest = {
      client: identity.client,
      path,
      keyId: identity.keyId,
      limits: limits.client,
      occupant: held === undefined ? null : { takeover, lease: held },
    };
    const verdict = this.#admit(newcomer, asked, request.lease, now);
    if (!verdict.allowed) return this.#refuse(request, subject, verdict, detailOf(verdict), now);
    if (occupant !== undefined) {
      this.cut(
        occupant,
        {
          reason: 'stream_duplicate',
          detail: 'gone or silent, and replaced by the same publisher',
          cooldownMs: 0,
        },
        now,
      );
    }
    const stream = this.#openOrRelease(request, { app, identity, newcomer }, limits, verdict.lease, now);
    if (stream === null) {
      const full = { ...serverDenial('global_streams', 'global'), retryAfterMs: 1_000 };
      return this.#refuse(request, subject, full, 'the stream table of this server is full', now);
    }
    this.#services.decisions.admitted('client', monotonicMs() - beganMs);
    this.#services.decisions.note('stream_started', subjectOf(stream), { limits: limits.stream });
    return { ok: true, stream };
  }

  /**
   * True when this very publisher's stream is still there and not silent for
   * long enough to be taken for a ghost, but may be soon: over SRT what a dead
   * publisher sent is played out for a while. Then it is worth to ask again.
   */
  mayReturnSoon(request: PublishClaim, now: number): boolean {
    const { app, identity } = this.#identify(request);
    if (!identity.ok) return false;
    const occupant = this.#services.registry.at(`/${app}/${identity.publicName}`);
    if (occupant === undefined || canBeSlowed(occupant.identity.protocol)) return false;
    return isSamePublisher(occupant.identity, identity) && !isGhost(occupant, now);
  }

  /** Writes down why a connection that never published is ended; returns the line it is told. */
  refuseConnection(
    origin: { ip: string; protocol: string },
    reason: Reason,
    detail: string,
    now: number,
  ): string {
    const decision = serverDenial(reason, origin.ip);
    const subject = { ip: origin.ip, protocol: origin.protocol, path: null, client: null, stream: null };
    return noticeOf(decision, this.#services.decisions.record('refuse', decision, subject, detail, now));
  }

  /** Cuts a live stream for cause: receipt, cooldown, farewell. */
  cut(stream: LiveStream, request: CutRequest, now: number): Receipt {
    const { identity } = stream;
    const cooldownMs = request.cooldownMs ?? stream.limits.cooldown;
    const decision: Decision = {
      reason: request.reason,
      scope: scopeOf(request.reason),
      key: identity.path,
      limit: request.limit ?? null,
      observed: request.observed ?? null,
      windowMs: request.windowMs ?? null,
      retryAfterMs: request.retryAfterMs ?? cooldownMs,
    };
    const receipt = this.#services.decisions.record('cut', decision, subjectOf(stream), request.detail, now);
    if (cooldownMs > 0) {
      this.#services.admission.startCooldown(
        { ip: identity.ip, keys: [identity.keyId] },
        cooldownMs,
        request.reason,
        now,
      );
    }
    // First the connection: it ends the pause going on, which the totals would otherwise miss.
    stream.connection.cut({ reason: request.reason, notice: noticeOf(decision, receipt) });
    this.#close(stream, now);
    return receipt;
  }

  /** The publisher left by itself. */
  ended(stream: LiveStream, how: string, now: number): void {
    this.#close(stream, now);
    this.#services.decisions.note('stream_ended', subjectOf(stream), {
      how,
      lived_ms: Math.round(now - stream.startedAt),
    });
  }

  #identify(claim: PublishClaim): { app: string; identity: ResolvedIdentity | IdentityRefusal } {
    const { app, streamName, query } = splitName(claim.app, claim.name);
    return { app, identity: this.#services.identities().resolve({ app, streamName, query, ip: claim.ip }) };
  }

  /**
   * Asks what the machine can bear, then admission. Where nothing is missing but
   * a place, a publisher of higher priority may take that of a stream. Where the
   * machine is short, one stream less says little about the room for another.
   */
  #admit(
    newcomer: Newcomer,
    asked: AdmissionRequest,
    lease: ConnectionLease,
    now: number,
  ): AdmissionVerdict<PublishLease> {
    const { admission, pressure } = this.#services;
    const short = admission.draining ? null : pressure.refusal(newcomer, now);
    const verdict = admission.publish({ ...asked, short }, lease, now);
    if (verdict.allowed || short !== null || !wantsOnePlace(verdict)) return verdict;
    const leaving = this.#weakerThan(newcomer);
    if (leaving === null) return verdict;
    this.#giveWay(leaving, newcomer, now);
    return admission.publish(asked, lease, now);
  }

  #weakerThan({ priority }: Newcomer): LiveStream | null {
    return this.#services.preempts() ? weakerThan(priority, this.#services.registry.all()) : null;
  }

  #giveWay(stream: LiveStream, { path, priority }: Newcomer, now: number): void {
    const detail = preemptedDetail(path, priority, stream.priority);
    this.cut(stream, { reason: 'shed', detail, cooldownMs: 0, retryAfterMs: CAP_RETRY_HINT_MS }, now);
  }

  #close(stream: LiveStream, now: number): void {
    const lease = this.#leases.get(stream);
    if (lease === undefined) return;
    this.#leases.delete(stream);
    stream.closing();
    stream.reservation?.release();
    // What is squeezed sends less than it will the next time.
    if (stream.ceiling === null) {
      this.#expectations.learn(stream.identity.keyId, stream.averageBps(now), now - stream.startedAt);
    }
    this.#services.tally.retire(stream);
    this.#services.registry.remove(stream);
    stream.release();
    lease.release(now);
  }

  /** Whatever goes wrong, the lease ends where no stream begins. */
  #openOrRelease(
    request: PublishRequest,
    named: Named,
    limits: EffectiveLimits,
    lease: PublishLease,
    now: number,
  ): LiveStream | null {
    let stream: LiveStream | null = null;
    try {
      stream = this.#open(request, named, limits, lease, now);
      return stream;
    } finally {
      if (stream === null) lease.release(now);
    }
  }

  #open(
    request: PublishRequest,
    named: Named,
    limits: EffectiveLimits,
    lease: PublishLease,
    now: number,
  ): LiveStream | null {
    const { slab, budgets, registry, playback, pressure } = this.#services;
    const { ipKey, exempt } = request.lease;
    const { client, publicName, tier, priority, keyId } = named.identity;
    const { path } = named.newcomer;
    const parents = { client, clientBps: limits.client.max_bandwidth, ipKey, ipBps: this.#services.ipBps() };
    const nature = { exempt, lossy: !canBeSlowed(request.protocol) };
    const rows = StreamRows.take(slab, budgets, limits.stream, parents, nature, now);
    if (rows === null) return null;
    const identity: StreamIdentity = {
      id: this.#freshId(),
      protocol: request.protocol,
      app: named.app,
      name: publicName,
      path,
      client,
      ip: request.ip,
      ipKey,
      port: request.port,
      keyId,
    };
    const clock = { now, wallMs: wallMs() };
    const reservation = pressure.reserve(named.newcomer, now);
    const standing = { tier, priority };
    const stream = new LiveStream(identity, standing, limits, rows, request.connection, clock, reservation);
    stream.broadcastOn(
      playback.open(path, {
        replay: (sink) => request.source.replay(rows.slot, sink),
        transportStream: request.source.transportStream ?? null,
        onPlayers: (count) => stream.playersChanged(count),
      }),
    );
    registry.add(stream);
    this.#leases.set(stream, lease);
    return stream;
  }

  #refuse(
    request: PublishRequest,
    subject: { path: string; client: string } | null,
    denial: Denial,
    detail: string,
    now: number,
  ): PublishAnswer {
    const receipt = this.#services.decisions.record(
      'refuse',
      denial,
      {
        ip: request.ip,
        protocol: request.protocol,
        path: subject?.path ?? null,
        client: subject?.client ?? null,
        stream: null,
      },
      detail,
      now,
    );
    return {
      ok: false,
      reason: denial.reason,
      retryAfterMs: denial.retryAfterMs,
      notice: noticeOf(denial, receipt),
    };
  }

  /** `s-` and four or more random characters: short enough to type, not to be guessed from the last one. */
  #freshId(): string {
    for (;;) {
      const id = `s-${randomInt(36 ** 5)
        .toString(36)
        .padStart(5, '0')}`;
      if (this.#services.registry.find(id) === undefined) return id;
    }
  }
}

/** Refused where one stream less would do: not where a reload brought the cap far below what is live. */
function wantsOnePlace({ reason, limit, observed }: Denial): boolean {
  return reason === 'global_streams' && limit !== null && observed !== null && observed <= limit;
}

export function subjectOf(stream: LiveStream): DecisionSubject {
  const { ip, protocol, path, client, id } = stream.identity;
  return { ip, protocol, path, client, stream: id };
}
