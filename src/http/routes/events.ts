import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AccessControl } from '../access.ts';
import type { EventFeed } from '../event-feed.ts';
import { interval } from '../quantities.ts';
import { answers } from '../schemas/common.ts';

/** ms between two snapshots when the query does not say: what a person can follow. */
const INTERVAL_MS = 1_000;

interface EventRoutes {
  readonly feed: EventFeed;
  readonly access: Pick<AccessControl, 'lasting'>;
}

export const eventRoutes: FastifyPluginCallbackZod<EventRoutes> = (app, { feed, access }, done) => {
  app.get(
    '/api/v1/events',
    {
      // A HEAD of an endless answer would subscribe for nothing.
      exposeHeadRoute: false,
      schema: {
        summary: 'Snapshots and decisions as they happen (Server-Sent Events)',
        description:
          'Events: node (a Node) and snapshot (a Snapshot) at the interval; receipt (a Receipt), audit (an OperatorAction) as they happen; dropped {count}.',
        querystring: z.object({ interval: interval.optional() }),
        response: answers(
          {
            200: {
              description: 'an endless stream of events',
              content: { 'text/event-stream': { schema: z.string() } },
            },
          },
          'unavailable',
        ),
      },
    },
    (request, reply) => {
      const headers = Object.fromEntries(
        Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]),
      );
      const allowed = access.lasting(request as FastifyRequest);
      feed.serve(reply.raw, { headers, intervalMs: request.query.interval ?? INTERVAL_MS, allowed });
      reply.hijack();
    },
  );
  done();
};
