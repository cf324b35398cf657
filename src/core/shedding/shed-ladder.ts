import type { PressureLevel } from '../pressure/levels.ts';

/**
 * Who suffers first when the machine stays in trouble.
 *
 * Streams stand in cohorts: by priority, and within a priority by a hash of
 * their path, so that a stream always falls into the same one and streams do
 * not take turns. Under sustained critical pressure the lowest cohort is
 * lowered notch by notch to a part of what it sends, then cut; then the next.
 * Recovery goes the same way back, one notch at a time, and the slower the
 * more often it has relapsed. The cohorts at the top that hold the protected
 * share of the streams are never touched.
 *
 * Whether the machine is at ease is asked of what is known of it. What is not
 * known forbids no recovery, or a sampler that stays broken would keep streams
 * out for ever; it makes every step of it take twice as long.
 *
 * Trouble that returns within the longest backoff of a whole recovery is a
 * relapse as well: else a machine that can bear all but the last notch would
 * take it and give it back for ever.
 */

/** Cohorts within one priority: a step then costs an eighth of the streams of that priority. */
export const COHORTS = 8;

/** What a lowered stream may still send, as a part of what it sent, notch by notch; then it is cut. */
const CEILINGS = [0.75, 0.5, 0.25] as const;

/** A step of recovery takes so many times as long while not everything is known. */
const BLIND_PACE = 2;

/** Notches of a cohort: each ceiling, and the cut. */
const NOTCHES = CEILINGS.length + 1;

export interface ShedSettings {
  /** critical for so long before anything is done, ms */
  readonly after: number;
  /** between two notches down the ladder, ms: longer than a notch takes to show in the samples */
  readonly interval: number;
  /** part of the streams that is never shed, 0..1 */
  readonly protected: number;
  /** between two notches of recovery at first, and at most, ms */
  readonly backoff: { readonly min: number; readonly max: number };
}

export interface Cohort {
  readonly priority: number;
  /** 0..COHORTS - 1 */
  readonly cohort: number;
}

/** How many live streams a cohort has. */
export interface CohortCount extends Cohort {
  readonly streams: number;
}

export interface ShedStep extends Cohort {
  readonly direction: 'shed' | 'recover';
  /** what its streams may send now, as a part; 0 = cut */
  readonly ceiling: number;
}

interface Rung extends Cohort {
  notch: number;
}

/** Which cohort a stream of that path is in, for ever: FNV-1a of 32 bits, its low bits mixed as MurmurHash3 ends. */
export function cohortOf(path: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % COHORTS;
}

export class ShedLadder {
  #settings: ShedSettings;
  /** cohorts that were reached, lowest first; only the last can be half-way */
  readonly #rungs: Rung[] = [];
  #criticalSince = Number.NaN;
  #calmSince = Number.NaN;
  #steppedAt = Number.NEGATIVE_INFINITY;
  #backoffMs: number;
  /** streams there were when shedding began: the protected share is a part of these */
  #streamsAtStart = 0;
  /** the last step was one of recovery, and to shed now is a relapse */
  #recovering = false;
  #sure = true;

  constructor(settings: ShedSettings) {
    this.#settings = settings;
    this.#backoffMs = settings.backoff.min;
  }

  configure(settings: ShedSettings): void {
    this.#settings = settings;
    this.#backoffMs = Math.min(settings.backoff.max, Math.max(settings.backoff.min, this.#backoffMs));
  }

  /** True while anybody is lowered or kept out. */
  get active(): boolean {
    return this.#rungs.length > 0;
  }

  /** ms between two notches of recovery now */
  get backoffMs(): number {
    return this.#sure ? this.#backoffMs : Math.min(this.#settings.backoff.max, this.#backoffMs * BLIND_PACE);
  }

  /** The cohorts that are touched, lowest first, with what each may send. */
  rungs(): readonly (Cohort & { readonly ceiling: number })[] {
    return this.#rungs.map(({ priority, cohort, notch }) => ({
      priority,
      cohort,
      ceiling: ceilingAt(notch),
    }));
  }

  /** What a stream may send as a part of what it sent: 1 = all, 0 = it is to be cut, or refused. */
  ceilingOf(subject: Cohort): number {
    const top = this.#rungs.at(-1);
    if (top === undefined) return 1;
    const order = compare(subject, top);
    // A cohort below the one reached was empty then; it would have been cut as well.
    return order < 0 ? 0 : order === 0 ? ceilingAt(top.notch) : 1;
  }

  /** ms until a publisher that is refused now is let in at the earliest: if all goes well from now on. 0 = now. */
  waitMs(subject: Cohort, now: number): number {
    if (this.ceilingOf(subject) > 0) return 0;
    let notches = 0;
    for (let i = this.#rungs.length - 1; i >= 0; i--) {
      const rung = this.#rungs[i]!;
      if (compare(rung, subject) > 0) notches += rung.notch;
      else {
        // Its own cohort opens with the first notch; one below the lowest that was reached, with the end of that.
        notches += compare(rung, subject) === 0 ? 1 : 0;
        break;
      }
    }
    const calmFor = Number.isNaN(this.#calmSince) ? 0 : now - this.#calmSince;
    const { backoffMs } = this;
    const first = Math.max(0, backoffMs - Math.min(calmFor, now - this.#steppedAt));
    return first + Math.max(0, notches - 1) * backoffMs;
  }

  /**
   * One look at the pressure, as far as it is known; `sure`: that is all there
   * is. `census` is sorted by priority, then cohort. Returns the notch that was
   * taken, or null.
   */
  step(level: PressureLevel, census: readonly CohortCount[], now: number, sure = true): ShedStep | null {
    this.#sure = sure;
    this.#criticalSince = level === 'critical' ? earlier(this.#criticalSince, now) : Number.NaN;
    this.#calmSince = level === 'nominal' ? earlier(this.#calmSince, now) : Number.NaN;
    if (!this.active && now - this.#steppedAt >= this.#settings.backoff.max) this.#forgetRelapses();
    if (level === 'critical') return this.#shed(census, now);
    return level === 'nominal' && this.active ? this.#recover(now) : null;
  }

  #shed(census: readonly CohortCount[], now: number): ShedStep | null {
    const { after, interval, backoff } = this.#settings;
    if (now - this.#criticalSince < after || now - this.#steppedAt < interval) return null;
    if (!this.active) this.#streamsAtStart = census.reduce((sum, { streams }) => sum + streams, 0);
    const rung = this.#nextRung(census);
    if (rung === null) return null;
    // What was given back was too much, too soon.
    if (this.#recovering) this.#backoffMs = Math.min(backoff.max, this.#backoffMs * 2);
    this.#recovering = false;
    rung.notch += 1;
    this.#steppedAt = now;
    return {
      direction: 'shed',
      priority: rung.priority,
      cohort: rung.cohort,
      ceiling: ceilingAt(rung.notch),
    };
  }

  #recover(now: number): ShedStep | null {
    const rung = this.#rungs.at(-1)!;
    if (Math.min(now - this.#calmSince, now - this.#steppedAt) < this.backoffMs) return null;
    rung.notch -= 1;
    this.#steppedAt = now;
    this.#recovering = true;
    if (rung.notch === 0) this.#rungs.pop();
    return {
      direction: 'recover',
      priority: rung.priority,
      cohort: rung.cohort,
      ceiling: ceilingAt(rung.notch),
    };
  }

  #forgetRelapses(): void {
    this.#recovering = false;
    this.#backoffMs = this.#settings.backoff.min;
  }

  /**
   * The cohort whose turn it is, null when all that are left are protected. One
   * that has become empty half-way is left behind at once: it is below the next
   * one then, and kept out as if it had been empty from the beginning.
   */
  #nextRung(census: readonly CohortCount[]): Rung | null {
    const top = this.#rungs.at(-1);
    const halfway = top !== undefined && top.notch < NOTCHES;
    const goesOn = halfway && census.some((each) => compare(each, top) === 0);
    const next = goesOn ? top : census.find((each) => top === undefined || compare(each, top) > 0);
    if (next === undefined || !this.#mayShed(next, census)) return null;
    if (goesOn) return top;
    if (halfway) this.#rungs.pop();
    const { priority, cohort } = next;
    const rung = { priority, cohort, notch: 0 };
    this.#rungs.push(rung);
    return rung;
  }

  /** Whether those above it are enough to make up the protected share. */
  #mayShed(subject: Cohort, census: readonly CohortCount[]): boolean {
    let above = 0;
    for (const each of census) if (compare(each, subject) > 0) above += each.streams;
    return above >= this.#streamsAtStart * this.#settings.protected;
  }
}

function ceilingAt(notch: number): number {
  return notch === 0 ? 1 : (CEILINGS[notch - 1] ?? 0);
}

function compare(a: Cohort, b: Cohort): number {
  return a.priority - b.priority || a.cohort - b.cohort;
}

function earlier(since: number, now: number): number {
  return Number.isNaN(since) ? now : since;
}
