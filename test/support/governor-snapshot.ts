import type { GovernorSnapshot } from '../../src/core/pressure/governor-snapshot.ts';
import { DEGRADATION_STEPS, type DegradationStep } from '../../src/core/pressure/governor-snapshot.ts';

const SINCE = '2026-11-20T21:30:00.000Z';

function resource(value: number, degrade: number, close: number): GovernorSnapshot['resources']['cpu'] {
  return { value, degrade, close, state: 'nominal', pressure: 0, since: SINCE, cause: null };
}

/** A machine at ease, as its governor tells it, with what a test says differently. */
export function calmGovernor(change: Partial<GovernorSnapshot> = {}): GovernorSnapshot {
  return {
    gate: { state: 'nominal', pressure: 0, open: true, reason: null, since: SINCE, reopens_in_ms: 0 },
    resources: {
      cpu: resource(0.31, 0.8, 0.9),
      heap: resource(0.41, 0.75, 0.85),
      memory: resource(0.55, 0.8, 0.9),
      event_loop: resource(12, 50, 200),
    },
    figures: { cpu: 0.31, cpu_process: 0.12 },
    reservations: { pending: 0, cpu: 0, memory_bytes: 0, bandwidth_bps: 0 },
    adaptive: { enabled: true, factor: 1, signal: null, changed_at: null },
    shares: { budget_bps: 2e9, squeezed: { global: 0, client: 0, shed: 0 } },
    shedding: { enabled: true, active: false, order: null, cohorts: [], backoff_ms: 10_000 },
    steps: steps(),
    control: { took_ms: 0.4, longest_ms: 2.5 },
    ...change,
  };
}

/** The visible list, with those steps taken. */
export function steps(...taken: readonly DegradationStep[]): GovernorSnapshot['steps'] {
  return DEGRADATION_STEPS.map((step) => ({ step, active: taken.includes(step) }));
}

/** The same machine with its CPU burning: the gate is shut, shares run, the lowest are shed. */
export function pressedGovernor(change: Partial<GovernorSnapshot> = {}): GovernorSnapshot {
  const calm = calmGovernor();
  const burning = { ...calm.resources.cpu, value: 0.93, state: 'critical', pressure: 1 } as const;
  const busy = { ...calm.resources.event_loop, value: 92, state: 'elevated', pressure: 0.28 } as const;
  return calmGovernor({
    gate: {
      state: 'critical',
      pressure: 1,
      open: false,
      reason: 'resource_cpu',
      since: '2026-11-20T21:41:00.000Z',
      reopens_in_ms: 4_200,
    },
    resources: { ...calm.resources, cpu: burning, event_loop: busy },
    reservations: { pending: 3, cpu: 0.12, memory_bytes: 48_000_000, bandwidth_bps: 18_000_000 },
    adaptive: { enabled: true, factor: 0.64, signal: 'cpu', changed_at: '2026-11-20T21:41:02.000Z' },
    shares: { budget_bps: 1.28e9, squeezed: { global: 4, client: 1, shed: 2 } },
    shedding: {
      enabled: true,
      active: true,
      order: null,
      cohorts: [
        { priority: 10, cohort: 1, ceiling: 0 },
        { priority: 10, cohort: 4, ceiling: 0 },
        { priority: 50, cohort: 0, ceiling: 0.25 },
      ],
      backoff_ms: 20_000,
    },
    steps: steps('stop_extras', 'lower_ceilings', 'refuse_low_priority', 'refuse_all', 'shed'),
    ...change,
  });
}
