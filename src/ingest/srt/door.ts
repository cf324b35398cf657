import type { Admission } from '../../core/admission/admission.ts';
import { CAP_RETRY_HINT_MS, refusal } from '../../core/admission/denials.ts';
import type { Refusal } from '../../core/admission/refusals.ts';
import type { ClientLimits } from '../../core/limits.ts';
import type { SrtEntry } from '../../native/srt.ts';
import { isGhost } from '../ghost.ts';
import type { Decision } from '../ports.ts';
import type { StreamRegistry } from '../registry.ts';
import { codeOf, SRT_CODE } from './codes.ts';

/**
 * What the native door is told: the refusals in force, as its entries, and for
 * each entry the decision behind it, so that a refusal which came to pass in
 * libsrt's thread still gets its full receipt.
 *
 * Versions are kept for a while: refusals arrive here up to a few rounds of
 * the event loop after they were made.
 */

/** Versions kept: a refusal is told within a few turns of the event loop, and a turn makes one version at most. */
const KEPT_VERSIONS_MAX = 64;

/** Entries kept over all versions but the last: some 20 MB at the most. */
const KEPT_ENTRIES_MAX = 65_536;

export interface DoorSources {
  readonly admission: Admission;
  readonly registry: StreamRegistry;
  readonly playback: { readonly full: boolean };
  /** how clients are known: by their keys, or by their addresses */
  mode(): 'open' | 'keys';
  /** the limits of a client, by its id */
  limitsOf(client: string): ClientLimits;
}

/** An entry and why it stands there; null: all players' places are taken, which no receipt speaks of. */
export interface DoorRefusal {
  readonly entry: SrtEntry;
  readonly decision: Decision | null;
}

interface Version {
  readonly number: number;
  refusals: readonly DoorRefusal[];
}

/** Whom a refusal was about, as the native door told it; empty = not known. */
export interface DoorCaller {
  /** as per-address limits see it */
  readonly ipKey: string;
  readonly path: string;
  readonly client: string;
}

export class DoorTables {
  readonly #sources: DoorSources;
  readonly #kept: Version[] = [];
  #keptEntries = 0;
  #number = 0;

  constructor(sources: DoorSources) {
    this.#sources = sources;
  }

  /** The version in force, 0 before the first. */
  get version(): number {
    return this.#number;
  }

  /** Looks at what would be refused now. True when the door must be told: it is another table than the last one. */
  rebuild(now: number): boolean {
    const refusals = [...this.#refusals(now)];
    const last = this.#kept.at(-1);
    if (last !== undefined && sameEntries(last.refusals, refusals)) {
      // The same for the door; but how long to wait may have become another.
      last.refusals = refusals;
      return false;
    }
    this.#number++;
    this.#kept.push({ number: this.#number, refusals });
    this.#keptEntries += refusals.length;
    while (
      this.#kept.length > KEPT_VERSIONS_MAX ||
      (this.#kept.length > 1 && this.#keptEntries - refusals.length > KEPT_ENTRIES_MAX)
    ) {
      this.#keptEntries -= this.#kept.shift()!.refusals.length;
    }
    return true;
  }

  /** The entries of the version in force. */
  entries(): SrtEntry[] {
    return (this.#kept.at(-1)?.refusals ?? []).map(({ entry }) => entry);
  }

  /**
   * The decision behind entry number `cause` (from 1) of a version, made out
   * to the caller it met; null for players, and when the version is too old.
   * Its delay is the longest of all entries that are known to meet the caller.
   */
  decisionOf(version: number, cause: number, caller: DoorCaller, now: number): Decision | null {
    const table = this.#kept.find(({ number }) => number === version);
    const met = table?.refusals[cause - 1];
    if (table === undefined || met === undefined || met.decision === null) return null;
    let retryAfterMs = remainingMs(met, now);
    if (met.entry.kind !== 'all' && met.entry.kind !== 'address') {
      for (const other of table.refusals) {
        if (meets(other.entry, caller)) retryAfterMs = Math.max(retryAfterMs, remainingMs(other, now));
      }
    }
    return { ...met.decision, key: keyOf(met, caller), retryAfterMs };
  }

  *#refusals(now: number): Generator<DoorRefusal> {
    const { admission, limitsOf, playback } = this.#sources;
    const byName = this.#sources.mode() === 'keys';
    const later: DoorRefusal[] = [];
    for (const inForce of admission.refusals(limitsOf, now)) {
      const made = { entry: entryOf(inForce, byName), decision: inForce.denial };
      // In the order of admission's checks: who has a path is asked before how many streams there are in all.
      if (inForce.kind === 'publishers') later.push(made);
      else yield made;
    }
    yield* this.#paths(now);
    yield* later;
    if (playback.full) {
      const entry = { kind: 'players', code: SRT_CODE.OVERLOAD, until: Number.POSITIVE_INFINITY } as const;
      yield { entry, decision: null };
    }
  }

  /** Every live path: its owner may come back, and what becomes of that the publish desk decides. */
  *#paths(now: number): Generator<DoorRefusal> {
    for (const stream of this.#sources.registry.all()) {
      const { path, keyId, protocol } = stream.identity;
      // An SRT publisher that was killed is silent only after what it sent has been played out.
      const mayReturn = protocol === 'srt' || isGhost(stream, now);
      yield {
        entry: {
          kind: 'path',
          name: path,
          code: codeOf('stream_duplicate'),
          until: Number.POSITIVE_INFINITY,
          ownerKey: mayReturn ? keyId : '',
        },
        decision: refusal('stream_duplicate', path, CAP_RETRY_HINT_MS),
      };
    }
  }
}

function entryOf({ kind, name, denial, untilMs, evenExempt }: Refusal, byName: boolean): SrtEntry {
  const base = { kind, code: codeOf(denial.reason), until: untilMs };
  switch (kind) {
    case 'all':
      return evenExempt ? { ...base, evenExempt } : base;
    case 'address':
      return { ...base, address: name };
    case 'client':
      return byName ? { ...base, name } : { ...base, address: name };
    case 'key':
      return { ...base, name };
    case 'publishers':
      return base;
  }
}

function meets(entry: SrtEntry, { ipKey, path, client }: DoorCaller): boolean {
  switch (entry.kind) {
    case 'client':
      return entry.name === client || entry.address === ipKey;
    case 'path':
      return entry.name === path;
    case 'publishers':
      return true;
    default:
      return false;
  }
}

/** What is refused for a time ends then; for the rest the decision knows how long to wait. */
function remainingMs({ entry, decision }: DoorRefusal, now: number): number {
  if (Number.isFinite(entry.until)) return Math.max(0, entry.until - now);
  return decision?.retryAfterMs ?? 0;
}

/** What the limit is held on; entries about everybody or a secret do not say it. */
function keyOf({ entry, decision }: DoorRefusal, { ipKey, path }: DoorCaller): string {
  if (entry.kind === 'key') return path;
  return entry.kind === 'all' && decision?.scope === 'ip' ? ipKey : (decision?.key ?? '');
}

function sameEntries(a: readonly DoorRefusal[], b: readonly DoorRefusal[]): boolean {
  return a.length === b.length && a.every((refusal, i) => sameRefusal(refusal, b[i]!));
}

function sameRefusal(a: DoorRefusal, b: DoorRefusal): boolean {
  const told = a.decision?.reason === b.decision?.reason && a.decision?.limit === b.decision?.limit;
  return told && sameEntry(a.entry, b.entry);
}

function sameEntry(a: SrtEntry, b: SrtEntry): boolean {
  return (
    a.kind === b.kind &&
    a.code === b.code &&
    a.until === b.until &&
    a.name === b.name &&
    a.address === b.address &&
    a.evenExempt === b.evenExempt &&
    a.ownerKey === b.ownerKey
  );
}
