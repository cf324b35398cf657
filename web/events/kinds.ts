/** What the events page can be narrowed to: one side of the trail, or one kind of line. */
import type { AuditEvent } from '../../src/telemetry/events.ts';
import { OPERATOR_ACTIONS } from '../../src/telemetry/events.ts';
import { ACTIONS } from '../receipts/actions.ts';

const SIDES: readonly AuditEvent['kind'][] = ['receipt', 'audit'];

/** By group, as the list of kinds offers them: what is in the address, and its words. */
export const KIND_GROUPS: readonly {
  readonly label: string;
  readonly kinds: readonly (readonly [string, string])[];
}[] = [
  {
    label: 'One side',
    kinds: [
      ['receipt', 'decisions about publishers'],
      ['audit', 'operators and the server'],
    ],
  },
  {
    label: 'Decisions about publishers',
    kinds: Object.entries(ACTIONS).map(([action, { word }]) => [action, word] as const),
  },
  { label: 'Operators and the server', kinds: OPERATOR_ACTIONS.map((action) => [action, action] as const) },
];

/** The address of the API that answers a kind; a kind that nobody knows (typed into the address) asks for all. */
export function auditPath(kind: string, key: string, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (key !== '') query.set('key', key);
  if (SIDES.some((side) => side === kind)) query.set('kind', kind);
  else if (KIND_GROUPS.some(({ kinds }) => kinds.some(([known]) => known === kind)))
    query.set('action', kind);
  return `/api/v1/audit?${query}`;
}
