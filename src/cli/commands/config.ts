import { Document } from 'yaml';
import { escapeUnsafe } from '../../telemetry/printable.ts';
import { type Context, printJson, printLines } from '../context.ts';

/** `headgate config`: what is in force in a running server, secrets masked, as YAML or JSON. */
export async function runConfig(
  { json }: { readonly json: boolean },
  { api, terminal }: Context,
): Promise<number> {
  const config = await api.get<Record<string, unknown>>('/api/v1/config', 'version');
  if (json) printJson(terminal, config);
  else printLines(terminal, new Document(config).toString().trimEnd().split('\n').map(escapeUnsafe));
  return 0;
}
