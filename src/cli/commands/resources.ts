import type { ResourcesSnapshot } from '../../http/ports.ts';
import { type Context, printJson } from '../context.ts';
import { printView } from '../render/print.ts';
import { resourcePage } from '../render/resource-table.ts';

/** `headgate resources`: the machine, the gate, and what is done about it. */
export async function runResources(
  { json }: { readonly json: boolean },
  { api, terminal }: Context,
): Promise<number> {
  const resources = await api.get<ResourcesSnapshot>('/api/v1/resources', 'resources');
  if (json) printJson(terminal, resources);
  else printView(terminal, resourcePage(resources, terminal.columns));
  return 0;
}
