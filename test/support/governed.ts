import type { GovernorSnapshot } from '../../src/core/pressure/governor-snapshot.ts';
import { type TestServer, until } from './server.ts';

/** What the admin API of a running server tells of its governor. */

/** `GET /api/v1/resources`, as far as the governor's tests look at it. */
export type Resources = Omit<GovernorSnapshot, 'gate'> & {
  gate: { open: boolean; state: string; reasons: string[] };
};

/** An entry of the audit trail that is not a receipt. */
export interface Act {
  readonly at: string;
  readonly action: string;
  readonly by: string;
  readonly detail: string;
}

export function resourcesOf(server: TestServer): Promise<Resources> {
  return server.get<Resources>('/api/v1/resources');
}

export async function isOpen(server: TestServer): Promise<boolean> {
  return (await resourcesOf(server)).gate.open;
}

/** Acts of one kind, oldest first. */
export async function acts(server: TestServer, kind: string): Promise<Act[]> {
  const { events } = await server.get<{ events: { action?: Act }[] }>('/api/v1/audit?limit=1000');
  return events.flatMap(({ action }) => (action?.action === kind ? [action] : [])).toReversed();
}

/** The first act of that kind that says so, at `sinceMs` (unix ms) or later. */
export function act(server: TestServer, kind: string, detail: RegExp, sinceMs = 0): Promise<Act> {
  return until(
    async () =>
      (await acts(server, kind)).find((one) => Date.parse(one.at) >= sinceMs && detail.test(one.detail)),
    `an act of ${kind} that says ${detail}`,
  );
}
