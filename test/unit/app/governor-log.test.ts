import { beforeEach, expect, test } from 'vitest';
import { GovernorLog } from '../../../src/app/governor-log.ts';
import { AuditTrail } from '../../../src/telemetry/audit.ts';

let trail: AuditTrail;
let lines: { level: string; fields: object; sentence: string }[];
let log: GovernorLog;

beforeEach(() => {
  trail = new AuditTrail({ receipts: 10, wallMs: () => Date.parse('2026-11-20T21:40:00.000Z') });
  lines = [];
  const written = (level: string) => (fields: object, sentence: string) => {
    lines.push({ level, fields, sentence });
  };
  log = new GovernorLog(trail, { info: written('info'), warn: written('warn') });
});

test('what the governor does is in the audit trail, in the log and counted', () => {
  log.write({ kind: 'shed', detail: 'priority 10: cohort 3 is cut', facts: { priority: 10 } });
  expect(trail.recent(10)).toMatchObject([
    { kind: 'audit', action: { action: 'shed', by: 'governor', detail: 'priority 10: cohort 3 is cut' } },
  ]);
  expect(lines).toEqual([
    { level: 'warn', fields: { event: 'shed', priority: 10 }, sentence: 'priority 10: cohort 3 is cut' },
  ]);
  expect(log.counts.changes).toEqual({ shed: 1 });
});

test('the end of an order stands where the order does', () => {
  log.write({ kind: 'backpressure', detail: 'the order ended: automatic again', facts: {} });
  expect(trail.recent(10)).toMatchObject([
    { action: { action: 'backpressure', by: 'server', result: 'ok' } },
  ]);
  expect(log.counts.changes).toEqual({});
});

test('subscribers of the trail are told as it happens', () => {
  const heard: unknown[] = [];
  trail.subscribe((event) => heard.push(event.kind === 'audit' && event.action.action));
  log.write({ kind: 'gate', detail: 'closed', facts: {} });
  log.write({ kind: 'recover', detail: 'back', facts: {} });
  expect(heard).toEqual(['gate', 'recover']);
});

test('adjustments are counted by direction', () => {
  for (const direction of ['down', 'down', 'up']) {
    log.write({ kind: 'adaptive', detail: 'x', facts: { direction } });
  }
  expect(log.counts).toEqual({ changes: { adaptive: 3 }, adjustments: { up: 1, down: 2 } });
});

test.each([
  ['gate', { state: 'closed' }, 'warn', 'ok'],
  ['gate', { state: 'open' }, 'info', 'ok'],
  ['sampler', { cause: 'no answer' }, 'warn', 'failed'],
  ['sampler', { cause: null }, 'info', 'ok'],
  ['recover', {}, 'info', 'ok'],
] as const)('%s with %j is told as %s, %s', (kind, facts, level, result) => {
  log.write({ kind, detail: 'x', facts });
  expect(lines.map((line) => line.level)).toEqual([level]);
  expect(trail.recent(1)).toMatchObject([{ action: { result } }]);
});
