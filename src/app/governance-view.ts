import type { GovernorSnapshot } from '../core/pressure/governor-snapshot.ts';
import { REASON_OF, RESOURCES } from '../core/pressure/resources.ts';
import type { Reason } from '../core/reasons.ts';
import type { BackpressureOrder, BackpressureSnapshot, GateReading, Readiness } from '../http/ports.ts';
import type { GateState } from '../telemetry/metrics-source.ts';

/**
 * The governor's snapshot as the admin API tells it: its gate joined with what
 * else shuts newcomers out, its shedding with the order behind it.
 */

/** What the admin API and the metrics ask of whoever governs the node. */
export interface GovernancePort {
  snapshot(now: number): GovernorSnapshot;
  /** Puts an operator's order in force at once: the next snapshot tells it. */
  order(order: BackpressureOrder, now: number): void;
}

/** `drainingSince`: ISO time, null while the server does not shut down, which no calm ends. */
export function gateReading(snapshot: GovernorSnapshot, drainingSince: string | null): GateReading {
  const { gate } = snapshot;
  const state = !gate.open ? 'closed' : gate.state === 'nominal' ? 'open' : 'degraded';
  const machine = {
    state,
    since: changedAt(snapshot, state),
    reasons: reasonsOf(snapshot),
    level: gate.state,
    pressure: gate.pressure,
    open: gate.open,
    reopens_in_ms: gate.reopens_in_ms,
  } as const;
  if (drainingSince === null) return machine;
  const reasons = ['draining', ...machine.reasons] satisfies Reason[];
  return { ...machine, state: 'closed', since: drainingSince, reasons, open: false, reopens_in_ms: null };
}

/** What presses: first what the gate names, then every resource that is as hard pressed as the worst. */
function reasonsOf({ gate, resources }: GovernorSnapshot): Reason[] {
  if (gate.open && gate.state === 'nominal') return [];
  const pressed = RESOURCES.filter((resource) => resources[resource].state === gate.state);
  const reasons = pressed.map((resource) => REASON_OF[resource]);
  return [...new Set(gate.reason === null ? reasons : [gate.reason, ...reasons])];
}

/** ISO times compare as text. */
function changedAt({ gate, resources }: GovernorSnapshot, state: GateState): string {
  if (state === 'closed') return gate.since;
  const times = RESOURCES.map((resource) => resources[resource])
    .filter((resource) => state === 'open' || resource.state !== 'nominal')
    .map(({ since }) => since)
    .toSorted();
  const moved = (state === 'open' ? times.at(-1) : times[0]) ?? gate.since;
  return [moved, gate.since].toSorted().at(-1) ?? moved;
}

/** Ready while newcomers are let in; a degraded gate lets in some. */
export function readinessOf(gate: GateReading, configError: string | null): Readiness {
  return {
    ready: gate.open,
    reasons: gate.open ? [] : gate.reasons,
    retry_after_ms: gate.reopens_in_ms,
    config_error: configError,
  };
}

export function backpressureOf({ gate, shares, shedding, steps }: GovernorSnapshot): BackpressureSnapshot {
  const { order, ...rest } = shedding;
  return {
    mode: order?.mode ?? 'auto',
    below_priority: order?.below_priority ?? null,
    until: order?.until ?? null,
    ...rest,
    level: gate.state,
    squeezed: shares.squeezed,
    steps,
  };
}
