import type { Reason } from '../reasons.ts';
import type { WatermarkConfig } from './watermarks.ts';

/**
 * What a node can run short of, and the unit it is measured in: `cpu`, `heap`
 * and `memory` are fractions 0..1 of what there is, `event_loop` is the p99 of
 * its delay in ms.
 */
export const RESOURCES = ['cpu', 'heap', 'memory', 'event_loop'] as const;

export type Resource = (typeof RESOURCES)[number];

/** The `resources` section of the config, in base units; null = that resource is not looked at. */
export type ResourcesConfig = Readonly<Record<Resource, WatermarkConfig | null>> & {
  /** ms for which a resource must have been calm before a level is left, 0 or more */
  readonly reopen_after: number;
};

export const REASON_OF: Readonly<Record<Resource, Reason>> = {
  cpu: 'resource_cpu',
  heap: 'resource_heap',
  memory: 'resource_memory',
  event_loop: 'resource_event_loop',
};

/**
 * Averaging window where the config sets none, ms: a collection of garbage or
 * one long turn of the loop is over within a second, and then is no trouble.
 */
export const DEFAULT_WINDOW_MS = 1000;
