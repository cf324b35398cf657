import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AuditTrail, type Decision } from '../../src/telemetry/audit.ts';
import type { AuditEvent } from '../../src/telemetry/events.ts';

const CUT: Decision = {
  reason: 'stream_bitrate',
  scope: 'stream',
  key: '/live/a',
  limit: 1,
  observed: 2,
  windowMs: null,
  retryAfterMs: 0,
  action: 'cut',
  ip: '192.0.2.1',
  protocol: 'rtmp',
  path: '/live/a',
  client: null,
  stream: null,
  detail: '',
};

const idOf = (event: AuditEvent): string => (event.kind === 'receipt' ? event.receipt.id : event.action.id);

/** Something that happens: a receipt, an operator's action, or one of the governor; `clockMs` the clock moves by, also back. */
const happening = fc.record({
  what: fc.constantFrom('receipt', 'kick', 'gate', 'refused' as const),
  clockMs: fc.integer({ min: -50, max: 50 }),
});

test('pages hold everything that was there at the first one and is still kept, once, whatever happens between them', () => {
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 60 }),
      fc.array(fc.array(happening, { maxLength: 4 }), { maxLength: 10 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 80 }),
      (before, between, limit, receipts) => {
        let clock = Date.parse('2026-11-20T00:00:00Z');
        const trail = new AuditTrail({ receipts, wallMs: () => clock });
        const happen = ({ what, clockMs }: { what: string; clockMs: number }): void => {
          clock += clockMs;
          if (what === 'receipt') trail.record(CUT, 0);
          else trail.act({ action: what as 'kick', by: 'x', target: null, result: 'ok', detail: '' });
        };
        before.forEach(happen);
        const there = new Set(trail.events({ limit: 1_000 }).items.map(idOf));
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let page = 0; ; page++) {
          const { items, next } = trail.events({ limit, cursor });
          seen.push(...items.map(idOf));
          if (next === null) break;
          cursor = next;
          between[page]?.forEach(happen);
        }
        const kept = new Set(trail.events({ limit: 1_000 }).items.map(idOf));
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.filter((id) => !there.has(id))).toEqual([]);
        expect([...there].filter((id) => kept.has(id) && !seen.includes(id))).toEqual([]);
      },
    ),
  );
});

test('the search of a trail that is longer than one look goes on with the next page', () => {
  const trail = new AuditTrail({ receipts: 50_000, wallMs: () => Date.parse('2026-11-20T00:00:00Z') });
  const sought = trail.record({ ...CUT, ip: '192.0.2.99' }, 0);
  for (let n = 0; n < 45_000; n++) trail.record(CUT, n);
  const pages: number[] = [];
  let cursor: string | undefined;
  for (let next: string | null = ''; next !== null; cursor = next ?? undefined) {
    const page = trail.receipts({ limit: 10, ip: '192.0.2.99', cursor });
    pages.push(page.items.length);
    next = page.next;
    if (page.items.length > 0) expect(page.items).toEqual([sought]);
  }
  expect(pages).toEqual([0, 0, 1]);
});
