import type { StreamLimits } from '../core/limits.ts';
import { type EpisodeOpened, reasonOfSqueeze } from '../core/policy/enforce.ts';
import { type Reason, scopeOf } from '../core/reasons.ts';
import { type Ceiling, canBeSlowed } from '../core/stream.ts';
import type { Budgets } from './budgets.ts';
import type { LiveStream, StreamWatcher } from './live-stream.ts';
import type { Decision, DecisionRecorder } from './ports.ts';
import { type PublishDesk, subjectOf } from './publish-desk.ts';

/**
 * Writes down what the control step finds on a live stream, one receipt per
 * episode, and carries out the cut at the end of `grace`.
 */
export class Overseer implements StreamWatcher {
  readonly #desk: PublishDesk;
  readonly #decisions: DecisionRecorder;
  readonly #budgets: Budgets;
  /** bits/s per address */
  readonly #ipBps: () => number;
  readonly #seen = new WeakMap<LiveStream, Map<Reason, number>>();

  constructor(desk: PublishDesk, decisions: DecisionRecorder, budgets: Budgets, ipBps: () => number) {
    this.#desk = desk;
    this.#decisions = decisions;
    this.#budgets = budgets;
    this.#ipBps = ipBps;
  }

  episodeOpened(stream: LiveStream, episode: EpisodeOpened, limits: StreamLimits, now: number): void {
    const measured = this.#measure(stream, episode.reason, limits);
    this.#remember(stream, episode.reason, measured.observed);
    const decision: Decision = {
      reason: episode.reason,
      scope: scopeOf(episode.reason),
      key: this.#keyOf(stream, episode.reason),
      ...measured,
      retryAfterMs: 0,
    };
    const action = episode.action === 'exceed' ? 'observe' : episode.action;
    this.#decisions.record(action, decision, subjectOf(stream), detailOf(stream, episode), now);
  }

  cutDue(stream: LiveStream, reason: Reason, now: number): void {
    if (reason === 'idle_timeout') {
      this.#desk.cut(
        stream,
        { reason, detail: 'no media arrived for the whole of timeouts.idle', cooldownMs: 0 },
        now,
      );
      return;
    }
    const seconds = stream.limits.grace / 1000;
    const detail = `kept exceeding its limit for the grace of ${seconds} s; lower the encoder's setting or raise the limit`;
    const measured = this.#measure(stream, reason, stream.limits);
    const observed = Math.max(measured.observed ?? 0, this.#seen.get(stream)?.get(reason) ?? 0);
    this.#desk.cut(stream, { reason, detail, cooldownMs: null, ...measured, observed }, now);
  }

  /** What was seen when the episode opened: once a stream is slowed, it is no longer to be seen. */
  #remember(stream: LiveStream, reason: Reason, observed: number | null): void {
    if (observed === null) return;
    const seen = this.#seen.get(stream) ?? new Map<Reason, number>();
    seen.set(reason, observed);
    this.#seen.set(stream, seen);
  }

  #keyOf(stream: LiveStream, reason: Reason): string {
    if (reason === 'client_bandwidth') return stream.identity.client;
    if (reason === 'ip_bandwidth') return stream.identity.ipKey;
    return reason === 'global_bandwidth' ? 'global' : stream.identity.path;
  }

  /** The limit an episode speaks of and what was seen against it, as offered by the publisher. */
  #measure(
    stream: LiveStream,
    reason: Reason,
    limits: StreamLimits,
  ): Pick<Decision, 'limit' | 'observed' | 'windowMs'> {
    const windowMs = limits.bitrate_window;
    const offered = Math.round(stream.ring.offeredBps());
    switch (reason) {
      case 'stream_packet_rate':
        return { limit: limits.max_packets_per_sec, observed: stream.ring.packetsPerSec(), windowMs };
      case 'stream_fps':
        return {
          limit: limits.max_fps,
          observed: Math.max(stream.ring.wallFps(), stream.ring.mediaFps() ?? 0),
          windowMs,
        };
      case 'client_bandwidth':
        return { limit: stream.effective.client.max_bandwidth, observed: offered, windowMs };
      case 'ip_bandwidth':
        return { limit: this.#ipBps(), observed: offered, windowMs };
      case 'global_bandwidth':
        return { limit: Math.round(this.#budgets.globalBps), observed: offered, windowMs };
      case 'shed':
        return {
          limit: stream.ceiling === null ? null : Math.round(stream.ceiling.bps),
          observed: offered,
          windowMs,
        };
      default:
        return { limit: limits.max_bitrate, observed: offered, windowMs };
    }
  }
}

/** The ceiling that an episode of this reason is about; null when it is about something else. */
function squeezeOf({ ceiling }: LiveStream, reason: Reason): Ceiling | null {
  return ceiling !== null && reasonOfSqueeze(ceiling.by) === reason ? ceiling : null;
}

const SQUEEZED_FOR: Readonly<Record<Ceiling['by'], string>> = {
  global: 'there is less bandwidth than all streams together want: held to its fair share',
  client: 'its client has less bandwidth than its streams together want: held to its fair share',
  shed: 'the machine is overloaded: held to a part of what it sent',
};

function detailOf(stream: LiveStream, episode: EpisodeOpened): string {
  const squeeze = squeezeOf(stream, episode.reason);
  if (squeeze !== null) {
    const how =
      episode.action === 'drop' ? 'video is dropped up to the next keyframe' : 'by TCP backpressure';
    return `${SQUEEZED_FOR[squeeze.by]}, ${Math.round(squeeze.bps / 1000)} kbit/s at first: ${how}`;
  }
  switch (episode.action) {
    case 'throttle':
      return `over its limit, and slowed to it by TCP backpressure${graceNote(stream, episode)}`;
    case 'drop':
      return `over its limit: ${unslowed(stream)}video is dropped up to the next keyframe${graceNote(stream, episode)}`;
    case 'exceed':
      return `over its limit, let through for the time being${graceNote(stream, episode)}`;
    case 'observe':
      return 'over its limit; observed only, nothing was done';
  }
}

/** Why a stream that should be throttled is not. */
function unslowed({ identity, limits }: LiveStream): string {
  return canBeSlowed(identity.protocol) || limits.on_exceed === 'drop'
    ? ''
    : 'a sender over SRT cannot be slowed, so ';
}

function graceNote(stream: LiveStream, episode: EpisodeOpened): string {
  const own = episode.reason.startsWith('stream_');
  return own && Number.isFinite(stream.limits.grace)
    ? `; cut after ${stream.limits.grace / 1000} s of it`
    : '';
}
