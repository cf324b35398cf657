import type { ClientSnapshot } from '../../http/ports.ts';
import { type Context, printJson } from '../context.ts';
import { clientTable } from '../render/client-table.ts';
import { printList } from '../render/print.ts';

export interface ClientsOptions {
  /** one client; undefined: all */
  readonly client: string | undefined;
  readonly tier: string | undefined;
  /** only those with a live stream */
  readonly live: boolean;
  readonly json: boolean;
}

interface ClientList {
  readonly clients: readonly ClientSnapshot[];
  readonly omitted: number;
  readonly next_cursor: string | null;
}

/** `headgate clients`: who is configured or publishing, and how much of what each may have. */
export async function runClients(options: ClientsOptions, { api, terminal }: Context): Promise<number> {
  const { client, tier, live, json } = options;
  if (client !== undefined) {
    const one = await api.get<ClientSnapshot>(`/api/v1/clients/${encodeURIComponent(client)}`, 'id');
    if (json) printJson(terminal, one);
    else
      printList(terminal, {
        lines: clientTable([one], terminal.columns),
        count: 1,
        omitted: 0,
        what: 'clients',
      });
    return 0;
  }
  const query = { tier, live: live ? 'true' : undefined };
  const answer = await api.get<ClientList>('/api/v1/clients', 'clients', query);
  if (json) printJson(terminal, answer);
  else {
    const { clients, omitted } = answer;
    printList(terminal, {
      lines: clientTable(clients, terminal.columns),
      count: clients.length,
      omitted,
      what: 'clients',
    });
  }
  return 0;
}
