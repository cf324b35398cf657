import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { REASONS } from '../../core/reasons.ts';
import { OPERATOR_ACTIONS } from '../../telemetry/events.ts';
import { Cursors, cursorParam } from '../cursor.ts';
import type { AuditPort } from '../ports.ts';
import { unknownId } from '../problem.ts';
import { auditList, RECEIPT_ACTIONS, receipt, receiptList } from '../schemas/audit.ts';
import { answers, howMany, searchText } from '../schemas/common.ts';

/** Receipts in one answer: a page for people, and a bound on the time one answer takes. */
const LISTED_MAX = 1_000;
const LISTED_DEFAULT = 100;

const RECEIPTS = new Cursors('receipts');
const EVENTS = new Cursors('audit');
const RECEIPT_PLACE = /^r-[0-9a-z]{1,11}$/;
const EVENT_PLACE = /^[0-9a-z]{1,11}\.[0-9a-z]{1,11}$/;

const page = { limit: howMany(LISTED_MAX, LISTED_DEFAULT), cursor: cursorParam };

const receiptQuery = z.object({
  key: searchText.optional().meta({
    description: 'A receipt, stream or client id, a key, an address, a path or a stream name.',
  }),
  reason: z.enum(REASONS).optional(),
  action: z.enum(RECEIPT_ACTIONS).optional(),
  ip: searchText.optional(),
  client: searchText.optional(),
  protocol: searchText.optional(),
  ...page,
});

const eventQuery = z.object({
  kind: z.enum(['receipt', 'audit']).optional(),
  action: z.enum([...RECEIPT_ACTIONS, ...OPERATOR_ACTIONS]).optional(),
  reason: z.enum(REASONS).optional().meta({ description: 'Leaves receipts only.' }),
  key: searchText
    .optional()
    .meta({ description: 'As for receipts; of an action its id, target or who did it.' }),
  ...page,
});

export const receiptRoutes: FastifyPluginCallbackZod<{ audit: AuditPort }> = (app, { audit }, done) => {
  app.get(
    '/api/v1/receipts',
    {
      schema: {
        summary: 'Why somebody was refused, throttled or cut; newest first',
        querystring: receiptQuery,
        response: answers({ 200: receiptList }),
      },
    },
    (request) => {
      const cursor = RECEIPTS.read(request.query.cursor, RECEIPT_PLACE);
      const { items, next } = audit.receipts({ ...request.query, cursor });
      return { receipts: items, next_cursor: next === null ? null : RECEIPTS.write(next) };
    },
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
        summary: 'Receipts and operator actions together, newest first',
        querystring: eventQuery,
        response: answers({ 200: auditList }),
      },
    },
    (request) => {
      const cursor = EVENTS.read(request.query.cursor, EVENT_PLACE);
      const { items, next } = audit.events({ ...request.query, cursor });
      return { events: items, next_cursor: next === null ? null : EVENTS.write(next) };
    },
  );
  done();
};
