import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { GovernorPort } from '../ports.ts';
import { backpressureOrder } from '../quantities.ts';
import { answers } from '../schemas/common.ts';
import { BACKPRESSURE_ORDER_EXAMPLE } from '../schemas/examples.ts';
import { backpressure } from '../schemas/governor.ts';

export const backpressureRoutes: FastifyPluginCallbackZod<{ governor: GovernorPort }> = (
  app,
  { governor },
  done,
) => {
  app.get(
    '/api/v1/backpressure',
    {
      schema: {
        summary: 'Who suffers for the machine, and by whose order',
        response: answers({ 200: backpressure }),
      },
    },
    () => governor.backpressure(),
  );

  app.put(
    '/api/v1/backpressure',
    {
      schema: {
        summary: 'Order shedding, or that there be none',
        description:
          'auto sheds by how the machine fares; off never does; shed also cuts and refuses streams below a priority.',
        body: backpressureOrder.meta({ examples: [BACKPRESSURE_ORDER_EXAMPLE] }),
        response: answers({ 200: backpressure }, 'invalid_value', 'unsupported_media_type', 'body_too_large'),
      },
    },
    (request) => {
      const { mode, below_priority: belowPriority = null, for: forMs } = request.body;
      return governor.order({ mode, belowPriority, forMs: forMs ?? null }, request.caller.by);
    },
  );
  done();
};
