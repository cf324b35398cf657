import type { FastifyReply } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { jsonList } from '../batches.ts';
import type { Batches, ClientsPort } from '../ports.ts';
import { unknownId } from '../problem.ts';
import { answers, howMany, searchText, streamed } from '../schemas/common.ts';
import { addressList, client, clientList } from '../schemas/server.ts';

/** Clients or addresses in one answer: past this only the count is of use. */
const LISTED_MAX = 100_000;
const LISTED_DEFAULT = 10_000;

const listQuery = z.object({ limit: howMany(LISTED_MAX, LISTED_DEFAULT) });

export const clientRoutes: FastifyPluginCallbackZod<{ clients: ClientsPort }> = (app, { clients }, done) => {
  app.get(
    '/api/v1/clients',
    {
      schema: {
        summary: 'Clients that are configured or publishing',
        querystring: listQuery,
        response: answers({ 200: streamed(clientList) }),
      },
    },
    (request, reply) => sendList('clients', clients.batches(), request.query.limit, reply as FastifyReply),
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
        summary: 'Addresses with connections, a running rate or a cooldown',
        querystring: listQuery,
        response: answers({ 200: streamed(addressList) }),
      },
    },
    (request, reply) => sendList('ips', clients.ipBatches(), request.query.limit, reply as FastifyReply),
  );
  done();
};

function sendList<T>(name: string, batches: Batches<T>, limit: number, reply: FastifyReply): FastifyReply {
  let seen = 0;
  const keep = (): 'take' | 'skip' => (++seen <= limit ? 'take' : 'skip');
  const tail = (): Record<string, unknown> => ({ omitted: Math.max(0, seen - limit) });
  return reply.type('application/json; charset=utf-8').send(jsonList(name, batches, keep, tail));
}
