import { expect, test } from 'vitest';
import { type AdminParts, adminPort } from '../../../src/app/admin-port.ts';
import type { GovernorSnapshot } from '../../../src/core/pressure/governor-snapshot.ts';
import type { BackpressureOrder } from '../../../src/http/ports.ts';
import { AuditTrail } from '../../../src/telemetry/audit.ts';
import { calmGovernor } from '../../support/governor-snapshot.ts';

/** A port over a governor that takes orders and does nothing else. */
function portOf() {
  let ordered: GovernorSnapshot['shedding']['order'] = null;
  const audit = new AuditTrail({ receipts: 10, wallMs: () => 0 });
  const governance = {
    snapshot: () => calmGovernor({ shedding: { ...calmGovernor().shedding, order: ordered } }),
    order: ({ mode, belowPriority }: BackpressureOrder) => {
      ordered = mode === 'auto' ? null : { mode, below_priority: belowPriority, until: null };
    },
  };
  const { governor } = adminPort({ audit, governance } as unknown as AdminParts);
  const told = (): string[] =>
    audit.recent(10).map((event) => (event.kind === 'audit' ? event.action.detail : ''));
  return { governor, audit, told };
}

test.each([
  [{ mode: 'shed', belowPriority: 50, forMs: 600_000 }, 'shed below priority 50 for 600 s'],
  [{ mode: 'shed', belowPriority: 50, forMs: null }, 'shed below priority 50 until the next order'],
  [{ mode: 'off', belowPriority: null, forMs: 90_000 }, 'off for 90 s'],
  [{ mode: 'auto', belowPriority: null, forMs: null }, 'auto'],
] as const)('%j is answered with what holds then, and written down', (order, detail) => {
  const { governor, audit, told } = portOf();
  expect(governor.order(order, 'operator@127.0.0.1')).toMatchObject({
    mode: order.mode,
    below_priority: order.belowPriority,
  });
  expect(told()).toEqual([detail]);
  expect(audit.recent(1)).toMatchObject([
    { action: { action: 'backpressure', by: 'operator@127.0.0.1', target: null, result: 'ok' } },
  ]);
});

test('asking orders nothing', () => {
  const { governor, told } = portOf();
  expect(governor.backpressure().mode).toBe('auto');
  expect(told()).toEqual([]);
});
