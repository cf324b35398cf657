import type { IpSnapshot } from '../../http/ports.ts';
import { type Context, printJson } from '../context.ts';
import { addressTable } from '../render/client-table.ts';
import { printList } from '../render/print.ts';

export interface IpsOptions {
  /** one address as it is listed; undefined: all */
  readonly ip: string | undefined;
  /** only those that are refused after a cut */
  readonly cooldown: boolean;
  /** only those with a live stream */
  readonly live: boolean;
  readonly json: boolean;
}

interface AddressList {
  readonly ips: readonly IpSnapshot[];
  readonly omitted: number;
  readonly next_cursor: string | null;
}

/** `headgate ips`: addresses that are connected, try often, or have to wait. */
export async function runIps(options: IpsOptions, { api, terminal }: Context): Promise<number> {
  const { ip, cooldown, live, json } = options;
  const flag = (on: boolean): 'true' | undefined => (on ? 'true' : undefined);
  const query = { ip, cooldown: flag(cooldown), live: flag(live) };
  const answer = await api.get<AddressList>('/api/v1/ips', 'ips', query);
  if (json) printJson(terminal, answer);
  else {
    const { ips, omitted } = answer;
    printList(terminal, {
      lines: addressTable(ips, terminal.columns),
      count: ips.length,
      omitted,
      what: 'addresses',
    });
  }
  return 0;
}
