import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { REASONS } from '../../core/reasons.ts';
import type { AuditPort } from '../ports.ts';
import { unknownId } from '../problem.ts';
import { auditList, receipt, receiptList } from '../schemas/audit.ts';
import { answers, howMany, searchText } from '../schemas/common.ts';

/** Receipts in one answer: a page for people, and a bound on the time one answer takes. */
const LISTED_MAX = 1_000;
const LISTED_DEFAULT = 100;

export const receiptRoutes: FastifyPluginCallbackZod<{ audit: AuditPort }> = (app, { audit }, done) => {
  app.get(
    '/api/v1/receipts',
    {
      schema: {
        summary: 'Why somebody was refused, throttled or cut; newest first',
        querystring: z.object({
          key: searchText.optional().meta({
            description: 'A receipt, stream or client id, a key, an address, a path or a stream name.',
          }),
          reason: z.enum(REASONS).optional(),
          limit: howMany(LISTED_MAX, LISTED_DEFAULT),
        }),
        response: answers({ 200: receiptList }),
      },
    },
    (request) => ({ receipts: audit.query(request.query) }),
  );

  app.get(
    '/api/v1/receipts/:id',
    {
      schema: {
        summary: 'One receipt',
        params: z.object({ id: searchText }),
        response: answers({ 200: receipt }, 'not_found'),
      },
    },
    (request) => {
      const found = audit.find(request.params.id);
      if (found === null) throw unknownId('receipt', request.params.id);
      return found;
    },
  );

  app.get(
    '/api/v1/audit',
    {
      schema: {
        summary: 'The last receipts and operator actions together, newest first',
        querystring: z.object({ limit: howMany(LISTED_MAX, LISTED_DEFAULT) }),
        response: answers({ 200: auditList }),
      },
    },
    (request) => ({ events: audit.recent(request.query.limit) }),
  );
  done();
};
