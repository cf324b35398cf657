import type { FastifyReply } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { PROTOCOLS, STREAM_STATES, type StreamSnapshot } from '../../core/stream.ts';
import { printable } from '../../telemetry/printable.ts';
import { jsonList } from '../batches.ts';
import type { LimitOverride, StreamsPort } from '../ports.ts';
import { unknownId } from '../problem.ts';
import { cooldown, limitChange } from '../quantities.ts';
import { answers, howMany, searchText, streamed } from '../schemas/common.ts';
import { kicked, stream, streamList } from '../schemas/stream.ts';

/** Streams in one answer without `?limit=`, and at most: all that one server is built for. */
const STREAMS_MAX = 10_000;

/** Characters of a kick's reason: one line of a log. */
const REASON_CHARS_MAX = 200;

const idParam = z.object({ id: searchText });

const listQuery = z.object({
  path: searchText.optional().meta({ description: 'Exact path, such as /live/cam1.' }),
  client: searchText.optional(),
  state: z.enum(STREAM_STATES).optional(),
  protocol: z.enum(PROTOCOLS).optional(),
  limit: howMany(STREAMS_MAX, STREAMS_MAX),
  cursor: z
    .string()
    .max(200)
    .regex(/^[\w-]+~[\d:.TZ+-]+$/, 'expected the next_cursor of an earlier answer')
    .optional(),
});

type ListQuery = z.output<typeof listQuery>;

export const streamRoutes: FastifyPluginCallbackZod<{ streams: StreamsPort }> = (app, { streams }, done) => {
  app.get(
    '/api/v1/streams',
    {
      schema: {
        summary: 'Live streams, oldest first',
        querystring: listQuery,
        response: answers({ 200: streamed(streamList) }),
      },
    },
    (request, reply) => sendList(streams, request.query, reply as FastifyReply),
  );

  app.get(
    '/api/v1/streams/:id',
    { schema: { summary: 'One stream', params: idParam, response: answers({ 200: stream }, 'not_found') } },
    (request) => {
      const found = streams.find(request.params.id);
      if (found === null) throw unknownId('stream', request.params.id);
      return found;
    },
  );

  app.delete(
    '/api/v1/streams/:id',
    {
      schema: {
        summary: 'Disconnect a publisher',
        params: idParam,
        querystring: z.object({
          cooldown: cooldown.optional(),
          reason: z.string().max(REASON_CHARS_MAX).optional(),
        }),
        response: answers({ 200: kicked }, 'not_found'),
      },
    },
    (request) => {
      const { reason, cooldown: cooldownMs } = request.query;
      const outcome = streams.kick(request.params.id, {
        cooldownMs: cooldownMs ?? null,
        reason: reason === undefined || reason === '' ? null : printable(reason),
        by: request.caller.by,
      });
      if (outcome === null) throw unknownId('stream', request.params.id);
      return outcome;
    },
  );

  app.patch(
    '/api/v1/streams/:id/limits',
    {
      schema: {
        summary: "Override a live stream's limits",
        params: idParam,
        body: limitChange,
        response: answers(
          { 200: stream },
          'not_found',
          'invalid_value',
          'unsupported_media_type',
          'body_too_large',
        ),
      },
    },
    (request) => {
      const { for: forMs, ...change } = request.body;
      const changed = streams.override(request.params.id, present(change), forMs ?? null, request.caller.by);
      if (changed === null) throw unknownId('stream', request.params.id);
      return changed;
    },
  );
  done();
};

/** Without the keys that were not sent. */
function present(change: { [Name in keyof LimitOverride]: LimitOverride[Name] | undefined }): LimitOverride {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

/**
 * A cursor is the id and the start of the last stream listed. While that
 * stream lives the next page starts after it; when it has gone, after its
 * start time, which is the order of the list.
 */
function sendList(streams: StreamsPort, query: ListQuery, reply: FastifyReply): FastifyReply {
  const [afterId, afterStart] = query.cursor?.split('~', 2) ?? [];
  let skipping = afterId !== undefined && streams.find(afterId) !== null;
  let last: StreamSnapshot | null = null;
  let taken = 0;
  let more = false;
  const keep = (item: StreamSnapshot): 'take' | 'skip' | 'stop' => {
    if (skipping) {
      skipping = item.id !== afterId;
      return 'skip';
    }
    if (afterStart !== undefined && item.started_at < afterStart) return 'skip';
    if (!matches(item, query)) return 'skip';
    if (taken >= query.limit) {
      more = true;
      return 'stop';
    }
    taken++;
    last = item;
    return 'take';
  };
  const tail = (): Record<string, unknown> => ({
    totals: streams.totals(),
    next_cursor: more && last !== null ? `${last.id}~${last.started_at}` : null,
  });
  return reply
    .type('application/json; charset=utf-8')
    .send(jsonList('streams', streams.batches(), keep, tail));
}

function matches(item: StreamSnapshot, query: ListQuery): boolean {
  return (
    (query.path === undefined || item.path === query.path) &&
    (query.client === undefined || item.client === query.client) &&
    (query.state === undefined || item.state === query.state) &&
    (query.protocol === undefined || item.protocol === query.protocol)
  );
}
