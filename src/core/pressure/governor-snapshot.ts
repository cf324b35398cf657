import type { AdaptiveSignal } from '../adaptive/adaptive-factor.ts';
import type { Reason } from '../reasons.ts';
import type { PressureLevel } from './levels.ts';
import type { Resource } from './resources.ts';

/**
 * How the machine fares and what is being done about it, as every reader sees
 * it: `GET /api/v1/resources`, `top`, the metrics and the tests. Field names
 * are the public contract; units are in the names, or said here.
 */
export interface GovernorSnapshot {
  gate: {
    /** of the resource that is worst off */
    state: PressureLevel;
    /** 0 at ease .. 1 where the gate closes */
    pressure: number;
    /** false while nobody is let in */
    open: boolean;
    /** why it is closed; null when it is open */
    reason: Reason | null;
    /** ISO time at which it last opened or closed */
    since: string;
    /** ms until it opens if all goes well from now on; 0 when it is open */
    reopens_in_ms: number;
  };
  /** the four resources that move the gate; values are fractions 0..1, of `event_loop` ms; null = off or not known */
  resources: Record<
    Resource,
    {
      value: number | null;
      degrade: number | null;
      close: number | null;
      state: PressureLevel;
      pressure: number;
      /** ISO time at which the state was entered */
      since: string;
      /** why nothing is known of it; null while its sampler works */
      cause: string | null;
    }
  >;
  /** everything the samplers measure, name by name, as they said it last; see src/sampler */
  figures: Record<string, number>;
  reservations: {
    /** streams that have not shown their load in full */
    pending: number;
    /** fraction of the machine */
    cpu: number;
    memory_bytes: number;
    bandwidth_bps: number;
  };
  adaptive: {
    enabled: boolean;
    /** what global bandwidth and connection rate are multiplied by now */
    factor: number;
    /** the signal that made it fall last, null when it never did */
    signal: AdaptiveSignal | null;
    /** ISO time of the last change, null when there was none */
    changed_at: string | null;
  };
  shares: {
    /** bits/s that streams may send together now; null = unlimited */
    budget_bps: number | null;
    /** streams that get less than they demand, by what keeps them there */
    squeezed: { global: number; client: number; shed: number };
  };
  shedding: {
    enabled: boolean;
    active: boolean;
    /** an operator's order that goes before the automatic, until when it holds; null = none */
    order: { mode: 'off' | 'shed'; below_priority: number | null; until: string | null } | null;
    /** cohorts that are lowered or cut, lowest first; `ceiling` is what they may send as a part of what they sent, 0 = cut */
    cohorts: { priority: number; cohort: number; ceiling: number }[];
    /** ms between two steps of recovery now */
    backoff_ms: number;
  };
  /** what is done when the machine runs short, mildest first, and whether it is done now */
  steps: { step: DegradationStep; active: boolean }[];
  /** ms that the last round of the control loop took, and the longest of the last minute */
  control: { took_ms: number; longest_ms: number };
}

/** Mildest first. */
export const DEGRADATION_STEPS = [
  'stop_extras',
  'lower_ceilings',
  'refuse_low_priority',
  'refuse_all',
  'shed',
] as const;

export type DegradationStep = (typeof DEGRADATION_STEPS)[number];
