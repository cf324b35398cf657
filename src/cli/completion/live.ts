/** Names that a running server knows, for a shell that completes them: soon, or not at all. */
import type { StreamSnapshot } from '../../core/stream.ts';
import type { Receipt } from '../../core/verdict.ts';
import type { ClientSnapshot, IpSnapshot } from '../../http/ports.ts';
import { HeadgateError } from '../../lib/errors.ts';
import { apiAddress } from '../api/address.ts';
import { ApiClient } from '../api/client.ts';
import type { Terminal } from '../terminal.ts';
import type { Candidate } from './candidate.ts';

/** Somebody waits with a finger on the key, ms. */
const PATIENCE_MS = 700;

/** Candidates of one kind: more are no help. */
const OFFERED_MAX = 200;

/** What a shell can take as it is: a name with anything else in it has to be typed. */
const PLAIN = /^[\w./:@%+-]+$/;

export interface Asked {
  readonly url?: string;
  readonly token?: string;
  readonly env: Terminal['env'];
}

type Kind = 'streams' | 'clients' | 'ips' | 'anybody';

/** Nothing where the server does not answer in time, or refuses. */
export async function liveCandidates(kind: Kind, { url, token, env }: Asked): Promise<Candidate[]> {
  try {
    const api = new ApiClient(apiAddress({ url, token }, env), { timeoutMs: PATIENCE_MS });
    const found = await SOURCES[kind](api);
    return found.filter(({ value }) => PLAIN.test(value)).slice(0, OFFERED_MAX);
  } catch (error) {
    if (error instanceof HeadgateError) return [];
    throw error;
  }
}

const SOURCES: Readonly<Record<Kind, (api: ApiClient) => Promise<Candidate[]>>> = {
  streams,
  clients: async (api) => {
    const { clients } = await api.get<{ clients: ClientSnapshot[] }>('/api/v1/clients', 'clients');
    return clients.map(({ id, streams: live }) => ({ value: id, description: `client, ${live} live` }));
  },
  ips: async (api) => {
    const { ips } = await api.get<{ ips: IpSnapshot[] }>('/api/v1/ips', 'ips');
    return ips.map(({ ip, connections }) => ({ value: ip, description: `${connections} connections` }));
  },
  anybody: async (api) => {
    const query = { limit: OFFERED_MAX / 2 };
    const [live, { receipts }] = await Promise.all([
      streams(api),
      api.get<{ receipts: Receipt[] }>('/api/v1/receipts', 'receipts', query),
    ]);
    const refused = receipts.flatMap(({ id, reason, path, ip }): Candidate[] => [
      { value: id, description: reason },
      ...(path === null ? [] : [{ value: path, description: reason }]),
      { value: ip, description: reason },
    ]);
    const once = new Map([...refused.toReversed(), ...live].map((each) => [each.value, each]));
    return [...once.values()].toReversed();
  },
};

async function streams(api: ApiClient): Promise<Candidate[]> {
  const query = { limit: OFFERED_MAX / 2 };
  const { streams: live } = await api.get<{ streams: StreamSnapshot[] }>('/api/v1/streams', 'streams', query);
  return live.flatMap(({ id, path, client, state }) => [
    { value: path, description: `${state}, ${client}` },
    { value: id, description: path },
  ]);
}
