import type { FastifyReply } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { jsonList } from '../batches.ts';
import { Cursors, cursorParam } from '../cursor.ts';
import type { Batches, ClientSnapshot, ClientsPort, IpSnapshot } from '../ports.ts';
import { unknownId } from '../problem.ts';
import { answers, flag, howMany, searchText, streamed } from '../schemas/common.ts';
import { addressList, client, clientList } from '../schemas/server.ts';
import { sortedPage } from '../sorted-page.ts';

/** Clients or addresses in one answer, which is held until it is read: some 2 MB. */
const LISTED_MAX = 2_000;
const LISTED_DEFAULT = 1_000;

/** Items turned into text between two looks at the reader. */
const WRITTEN_AT_ONCE = 200;

const page = { limit: howMany(LISTED_MAX, LISTED_DEFAULT), cursor: cursorParam };

const clientQuery = z.object({
  client: searchText.optional().meta({ description: 'Exact id.' }),
  tier: searchText.optional(),
  configured: flag.optional().meta({ description: 'false: those known by nothing but their address.' }),
  live: flag.optional().meta({ description: 'true: only those with a live stream.' }),
  ...page,
});

const addressQuery = z.object({
  ip: searchText.optional().meta({ description: 'Exact, as listed: of IPv6 the prefix limits are held on.' }),
  cooldown: flag.optional().meta({ description: 'true: only those in a cooldown.' }),
  exempt: flag.optional().meta({ description: 'true: only those on the allow list.' }),
  live: flag.optional().meta({ description: 'true: only those with a live stream.' }),
  ...page,
});

const CLIENTS = new Cursors('clients');
const ADDRESSES = new Cursors('ips');

export const clientRoutes: FastifyPluginCallbackZod<{ clients: ClientsPort }> = (app, { clients }, done) => {
  app.get(
    '/api/v1/clients',
    {
      schema: {
        summary: 'Clients that are configured or publishing, by id',
        querystring: clientQuery,
        response: answers({ 200: streamed(clientList) }),
      },
    },
    (request, reply) => {
      const { query } = request;
      const list = { name: 'clients', cursors: CLIENTS, keyOf: ({ id }: ClientSnapshot) => id };
      const matches = (item: ClientSnapshot) => isWanted(item, query);
      return sendPage(reply as FastifyReply, clients.batches(), { ...list, matches, ...query });
    },
  );

  app.get(
    '/api/v1/clients/:id',
    {
      schema: {
        summary: 'One client',
        params: z.object({
          id: searchText.meta({ description: 'URL-encoded; an address prefix may hold : and /.' }),
        }),
        response: answers({ 200: client }, 'not_found'),
      },
    },
    (request) => {
      const found = clients.find(request.params.id);
      if (found === null) throw unknownId('client', request.params.id);
      return found;
    },
  );

  app.get(
    '/api/v1/ips',
    {
      schema: {
        summary: 'Addresses with connections, a running rate or a cooldown, by their text',
        querystring: addressQuery,
        response: answers({ 200: streamed(addressList) }),
      },
    },
    (request, reply) => {
      const { query } = request;
      const list = { name: 'ips', cursors: ADDRESSES, keyOf: ({ ip }: IpSnapshot) => ip };
      const matches = (item: IpSnapshot) => isWantedAddress(item, query);
      return sendPage(reply as FastifyReply, clients.ipBatches(), { ...list, matches, ...query });
    },
  );
  done();
};

function isWanted(item: ClientSnapshot, query: z.output<typeof clientQuery>): boolean {
  return (
    (query.client === undefined || item.id === query.client) &&
    (query.tier === undefined || item.tier === query.tier) &&
    (query.configured === undefined || item.configured === query.configured) &&
    (query.live === undefined || item.streams > 0 === query.live)
  );
}

function isWantedAddress(item: IpSnapshot, query: z.output<typeof addressQuery>): boolean {
  return (
    (query.ip === undefined || item.ip === query.ip) &&
    (query.cooldown === undefined || item.cooldown_ms > 0 === query.cooldown) &&
    (query.exempt === undefined || item.exempt === query.exempt) &&
    (query.live === undefined || item.streams > 0 === query.live)
  );
}

interface PageWanted<T> {
  /** of the list in the answer */
  readonly name: string;
  readonly cursors: Cursors;
  readonly limit: number;
  readonly cursor?: string | undefined;
  keyOf(item: T): string;
  matches(item: T): boolean;
}

async function sendPage<T>(
  reply: FastifyReply,
  batches: Batches<T>,
  wanted: PageWanted<T>,
): Promise<FastifyReply> {
  const { name, cursors, cursor, keyOf } = wanted;
  const after = cursors.read(cursor);
  const { items, omitted } = await sortedPage(batches, { ...wanted, after });
  const last = items.at(-1);
  const tail = (): Record<string, unknown> => ({
    omitted,
    next_cursor: omitted > 0 && last !== undefined ? cursors.write(keyOf(last)) : null,
  });
  return reply
    .type('application/json; charset=utf-8')
    .send(jsonList(name, slices(items), () => 'take', tail));
}

function* slices<T>(items: readonly T[]): Batches<T> {
  for (let at = 0; at < items.length; at += WRITTEN_AT_ONCE) yield items.slice(at, at + WRITTEN_AT_ONCE);
}
