import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { HistoryPort } from '../ports.ts';
import { unknownId } from '../problem.ts';
import { answers, searchText } from '../schemas/common.ts';
import { nodeHistory, streamHistory } from '../schemas/history.ts';

export const historyRoutes: FastifyPluginCallbackZod<{ history: HistoryPort }> = (app, { history }, done) => {
  app.get(
    '/api/v1/history',
    {
      schema: {
        summary: 'The last five minutes of the server, for charts',
        response: answers({ 200: nodeHistory }),
      },
    },
    () => history.node(),
  );

  app.get(
    '/api/v1/streams/:id/history',
    {
      schema: {
        summary: 'The last five minutes of a stream, for charts',
        description: 'Of a live stream, or of one of the hundred that ended last, for five minutes.',
        params: z.object({ id: searchText }),
        response: answers({ 200: streamHistory }, 'not_found'),
      },
    },
    (request) => {
      const found = history.stream(request.params.id);
      if (found === null) throw unknownId('stream', request.params.id);
      return found;
    },
  );
  done();
};
