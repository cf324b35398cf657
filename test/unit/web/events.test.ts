import { expect, test } from 'vitest';
import type { Receipt } from '../../../src/core/verdict.ts';
import type { OperatorAction } from '../../../src/telemetry/events.ts';
import { eventRow } from '../../../web/events/event-row.ts';
import { auditPath, KIND_GROUPS } from '../../../web/events/kinds.ts';

const AT = '2026-11-20T21:40:10.000Z';

const RECEIPT: Receipt = {
  id: 'r-1f3c',
  at: AT,
  count: 3,
  last_at: AT,
  action: 'refuse',
  reason: 'client_streams',
  scope: 'client',
  key: 'alice',
  limit: 3,
  observed: 3,
  window: null,
  retry_after_ms: 1_000,
  ip: '192.0.2.10',
  protocol: 'rtmp',
  path: '/live/cam1',
  client: 'alice',
  stream: null,
  detail: 'the limit on alice is reached',
};

function action(change: Partial<OperatorAction>): OperatorAction {
  return {
    id: 'a-1',
    at: AT,
    action: 'kick',
    by: 'operator@127.0.0.1',
    target: 's-7k2f',
    result: 'ok',
    detail: '/live/cam1: an operator kicked this stream',
    ...change,
  };
}

test('a decision is told in the words of its receipt, and names its receipt', () => {
  expect(eventRow({ kind: 'receipt', receipt: RECEIPT })).toMatchObject({
    kind: 'refused',
    by: 'client_streams',
    about: '/live/cam1',
    stream: null,
    told: 'was refused because this client had 3 streams live and may have 3 (3 times)',
    receipt: 'r-1f3c',
  });
});

test('before a path is known, a decision is about the address', () => {
  const { about } = eventRow({ kind: 'receipt', receipt: { ...RECEIPT, path: null, client: null } });
  expect(about).toBe('192.0.2.10');
});

test('what an operator did names the stream, and a failure says so', () => {
  expect(eventRow({ kind: 'audit', action: action({}) })).toMatchObject({
    kind: 'kick',
    by: 'operator@127.0.0.1',
    stream: 's-7k2f',
  });
  const failed = action({ action: 'reload', result: 'failed', target: '/etc/headgate.yaml' });
  expect(eventRow({ kind: 'audit', action: failed })).toMatchObject({
    kind: 'reload failed',
    tone: 'bad',
    stream: null,
  });
  expect(eventRow({ kind: 'audit', action: action({ target: null }) }).about).toBe('the server');
});

test('every kind that is offered asks the API for itself, and an unknown one for all', () => {
  const kinds = KIND_GROUPS.flatMap((group) => group.kinds.map(([kind]) => kind));
  expect(kinds).toContain('throttle');
  expect(kinds).toContain('backpressure');
  expect(auditPath('receipt', '', 10)).toBe('/api/v1/audit?limit=10&kind=receipt');
  expect(auditPath('kick', 'alice', 10)).toBe('/api/v1/audit?limit=10&key=alice&action=kick');
  expect(auditPath('nonsense', '', 10)).toBe('/api/v1/audit?limit=10');
});
