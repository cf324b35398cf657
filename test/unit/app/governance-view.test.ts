import { expect, test } from 'vitest';
import { backpressureOf, gateReading, readinessOf } from '../../../src/app/governance-view.ts';
import type { GovernorSnapshot } from '../../../src/core/pressure/governor-snapshot.ts';
import { calmGovernor, pressedGovernor } from '../../support/governor-snapshot.ts';

const DRAINING = '2026-11-20T22:00:00.000Z';

/** An open gate over a CPU that is elevated since `since`. */
function degraded(since: string): GovernorSnapshot {
  const calm = calmGovernor();
  const cpu = { ...calm.resources.cpu, value: 0.84, state: 'elevated', pressure: 0.4, since } as const;
  const gate = { ...calm.gate, state: 'elevated', pressure: 0.4 } as const;
  return { ...calm, gate, resources: { ...calm.resources, cpu } };
}

test('an open gate over a machine at ease has no reasons', () => {
  expect(gateReading(calmGovernor(), null)).toEqual({
    state: 'open',
    since: '2026-11-20T21:30:00.000Z',
    reasons: [],
    level: 'nominal',
    pressure: 0,
    open: true,
    reopens_in_ms: 0,
  });
});

test('a pressed gate is degraded by what presses, since that does, and the server is ready', () => {
  const gate = gateReading(degraded('2026-11-20T21:39:00.000Z'), null);
  expect(gate).toMatchObject({
    state: 'degraded',
    since: '2026-11-20T21:39:00.000Z',
    reasons: ['resource_cpu'],
    open: true,
  });
  expect(readinessOf(gate, null)).toEqual({
    ready: true,
    reasons: [],
    retry_after_ms: 0,
    config_error: null,
  });
});

test('a gate that has just opened is degraded since then, however long the resource was pressed', () => {
  expect(gateReading(degraded('2026-11-20T21:00:00.000Z'), null).since).toBe('2026-11-20T21:30:00.000Z');
});

test('a closed gate names first what the governor names, then all that are critical', () => {
  const pressed = pressedGovernor();
  const memory = { ...pressed.resources.memory, state: 'critical', pressure: 1 } as const;
  const cpu = { ...pressed.resources.cpu, state: 'critical' } as const;
  const both = {
    ...pressed,
    gate: { ...pressed.gate, reason: 'resource_memory' },
    resources: { ...pressed.resources, cpu, memory },
  } as const;
  const gate = gateReading(both, null);
  expect(gate.reasons).toEqual(['resource_memory', 'resource_cpu']);
  expect(readinessOf(gate, 'line 3')).toEqual({
    ready: false,
    reasons: ['resource_memory', 'resource_cpu'],
    retry_after_ms: 4_200,
    config_error: 'line 3',
  });
});

test('a server that shuts down is closed whatever the machine says, and nobody knows until when', () => {
  for (const snapshot of [calmGovernor(), pressedGovernor()]) {
    const gate = gateReading(snapshot, DRAINING);
    expect(gate).toMatchObject({ state: 'closed', since: DRAINING, open: false, reopens_in_ms: null });
    expect(gate.reasons[0]).toBe('draining');
    expect(readinessOf(gate, null)).toMatchObject({ ready: false, retry_after_ms: null });
  }
  expect(gateReading(pressedGovernor(), DRAINING).reasons).toEqual(['draining', 'resource_cpu']);
});

test('without an order backpressure is automatic', () => {
  expect(backpressureOf(calmGovernor())).toMatchObject({ mode: 'auto', below_priority: null, until: null });
});
