import { shownFactor } from '../core/adaptive/adaptive-factor.ts';
import type { PressureGate } from '../core/pressure/gate.ts';
import { DEGRADATION_STEPS, type GovernorSnapshot } from '../core/pressure/governor-snapshot.ts';
import type { Reservations } from '../core/pressure/reservations.ts';
import type { Squeezer } from '../core/stream.ts';
import type { Adaptation } from './adaptation.ts';
import type { Machine } from './machine.ts';
import type { RoundTimes } from './round-times.ts';
import type { Shedder } from './shedder.ts';
import type { Watched } from './watched.ts';

/** The governor as others see it: one plain object, made when somebody asks. */

export interface GovernorParts {
  readonly machine: Machine;
  readonly reservations: Reservations;
  readonly adaptation: Adaptation;
  readonly shedder: Shedder;
  readonly watched: readonly Watched[];
  readonly times: RoundTimes;
  readonly extras: boolean;
  /** bits/s; Infinity = unlimited */
  readonly budgetBps: number;
}

/** `wallAt` turns an instant into unix ms. */
export function snapshotOf(
  parts: GovernorParts,
  wallAt: (monotonicMs: number) => number,
  now: number,
): GovernorSnapshot {
  const { machine, adaptation, times, budgetBps } = parts;
  const iso = (at: number) => new Date(wallAt(at)).toISOString();
  const { pending, reserved } = parts.reservations.snapshot();
  const { changedAt } = adaptation;
  return {
    gate: gateOf(machine, iso, now),
    resources: resourcesOf(machine.gate, iso, now),
    figures: machine.figures,
    reservations: {
      pending,
      cpu: reserved.cpu,
      memory_bytes: reserved.memoryBytes,
      bandwidth_bps: reserved.bandwidthBps,
    },
    adaptive: {
      enabled: adaptation.enabled,
      factor: shownFactor(adaptation.factor),
      signal: adaptation.signal,
      changed_at: changedAt === null ? null : iso(changedAt),
    },
    shares: {
      budget_bps: Number.isFinite(budgetBps) ? Math.round(budgetBps) : null,
      squeezed: squeezedOf(parts.watched),
    },
    shedding: sheddingOf(parts.shedder, iso, now),
    steps: stepsOf(parts, now),
    control: { took_ms: times.lastMs, longest_ms: times.longestMs(now) },
  };
}

type Iso = (at: number) => string;

function gateOf(machine: Machine, iso: Iso, now: number): GovernorSnapshot['gate'] {
  machine.watch(now);
  const { state, pressure, open, reopensInMs } = machine.gate.snapshot(now);
  const reason = machine.gate.check(now, false)?.reason ?? null;
  return {
    state,
    pressure,
    open,
    reason,
    since: iso(machine.openSince),
    reopens_in_ms: Math.ceil(reopensInMs),
  };
}

function resourcesOf(gate: PressureGate, iso: Iso, now: number): GovernorSnapshot['resources'] {
  const shown = gate
    .snapshot(now)
    .resources.map(({ resource, since, ...rest }) => [resource, { ...rest, since: iso(since) }] as const);
  return Object.fromEntries(shown) as GovernorSnapshot['resources'];
}

function squeezedOf(watched: readonly Watched[]): Record<Squeezer, number> {
  const squeezed = { global: 0, client: 0, shed: 0 };
  for (const { squeezedBy } of watched) if (squeezedBy !== null) squeezed[squeezedBy] += 1;
  return squeezed;
}

function sheddingOf(shedder: Shedder, iso: Iso, now: number): GovernorSnapshot['shedding'] {
  const order = shedder.standing(now);
  const cohorts = shedder.rungs().map((rung) => ({ ...rung }));
  return {
    enabled: shedder.enabled,
    active: cohorts.length > 0 || order?.mode === 'shed',
    order:
      order === null
        ? null
        : {
            mode: order.mode,
            below_priority: order.belowPriority,
            until: Number.isFinite(order.untilMs) ? iso(order.untilMs) : null,
          },
    cohorts,
    backoff_ms: shedder.backoffMs,
  };
}

function stepsOf(
  { machine, adaptation, shedder, extras }: GovernorParts,
  now: number,
): GovernorSnapshot['steps'] {
  const rungs = shedder.rungs();
  const ordered = shedder.standing(now)?.mode === 'shed';
  const taken: Record<(typeof DEGRADATION_STEPS)[number], boolean> = {
    stop_extras: !extras,
    lower_ceilings: adaptation.lowered || rungs.length > 0,
    refuse_low_priority: machine.gate.level(now) !== 'nominal' || rungs.length > 0 || ordered,
    refuse_all: machine.gate.check(now, false) !== null,
    shed: ordered || rungs.some(({ ceiling }) => ceiling === 0),
  };
  return DEGRADATION_STEPS.map((step) => ({ step, active: taken[step] }));
}
