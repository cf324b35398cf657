import type { FastifyReply } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { PROTOCOLS, STREAM_STATES, type StreamSnapshot } from '../../core/stream.ts';
import { printable } from '../../telemetry/printable.ts';
import { jsonList } from '../batches.ts';
import { Cursors, cursorParam } from '../cursor.ts';
import type { LimitOverride, StreamsPort } from '../ports.ts';
import { Problem, unknownId } from '../problem.ts';
import { cooldown, limitChange } from '../quantities.ts';
import { answers, howMany, searchText, streamed } from '../schemas/common.ts';
import { LIMIT_CHANGE_EXAMPLE } from '../schemas/examples.ts';
import { kicked, stream, streamList } from '../schemas/stream.ts';

/** Streams in one answer without `?limit=`, and at most: all that one server is built for. */
const STREAMS_MAX = 10_000;

/** Characters of a kick's reason: one line of a log. */
const REASON_CHARS_MAX = 200;

const idParam = z.object({ id: searchText });

const listQuery = z.object({
  path: searchText.optional().meta({ description: 'Exact path, such as /live/cam1.' }),
  app: searchText.optional().meta({ description: 'First part of the path.' }),
  name: searchText.optional().meta({ description: 'Public name, such as cam1.' }),
  client: searchText.optional(),
  tier: searchText.optional(),
  ip: searchText.optional().meta({ description: 'Exact address of the publisher.' }),
  state: z.enum(STREAM_STATES).optional(),
  protocol: z.enum(PROTOCOLS).optional(),
  limit: howMany(STREAMS_MAX, STREAMS_MAX),
  cursor: cursorParam,
});

/** Filters that a stream must equal, each under its own name. */
const FILTERS = ['path', 'app', 'name', 'client', 'tier', 'ip', 'state', 'protocol'] as const;

type ListQuery = z.output<typeof listQuery>;
type LimitChange = { [Name in keyof LimitOverride]: LimitOverride[Name] | undefined };

interface StreamRoutes {
  readonly streams: StreamsPort;
  /** of this run of the server: places in the list are of one run */
  readonly startedAt: string;
}

export const streamRoutes: FastifyPluginCallbackZod<StreamRoutes> = (app, { streams, startedAt }, done) => {
  const cursors = new Cursors(`streams ${startedAt}`);
  app.get(
    '/api/v1/streams',
    {
      schema: {
        summary: 'Live streams, oldest first',
        querystring: listQuery,
        response: answers({ 200: streamed(streamList) }),
      },
    },
    (request, reply) => sendList(streams, cursors, request.query, reply as FastifyReply),
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
        response: answers({ 200: kicked }, 'not_found', 'conflict'),
      },
    },
    (request) => {
      const { reason, cooldown: cooldownMs } = request.query;
      liveStream(streams, request.params.id);
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
        body: limitChange.meta({ examples: [LIMIT_CHANGE_EXAMPLE] }),
        response: answers(
          { 200: stream },
          'not_found',
          'conflict',
          'invalid_value',
          'unsupported_media_type',
          'body_too_large',
        ),
      },
    },
    (request) => {
      const { for: forMs, ...change } = request.body;
      refuseContradiction(change, liveStream(streams, request.params.id));
      const changed = streams.override(request.params.id, present(change), forMs ?? null, request.caller.by);
      if (changed === null) throw unknownId('stream', request.params.id);
      return changed;
    },
  );
  done();
};

/** The stream of an id; throws the 404 of none, and the 409 of one that is told to go already. */
function liveStream(streams: StreamsPort, id: string): StreamSnapshot {
  const found = streams.find(id);
  if (found === null) throw unknownId('stream', id);
  if (found.state === 'closing') {
    throw new Problem('conflict', `stream ${found.id} is closing already; nothing can be changed of it`);
  }
  return found;
}

/** Throws the 422 of a change that makes no sense with what the stream keeps of its limits. */
function refuseContradiction(change: LimitChange, { limits }: StreamSnapshot): void {
  const onExceed = change.on_exceed === undefined ? limits.on_exceed : change.on_exceed;
  const grace = change.grace === undefined ? (limits.grace_ms ?? Number.POSITIVE_INFINITY) : change.grace;
  if (onExceed !== 'disconnect' || grace !== Number.POSITIVE_INFINITY) return;
  // Where the config itself has the two together, a change of something else is no place to say so.
  if (change.on_exceed === undefined && change.grace === undefined) return;
  const detail =
    'with on_exceed disconnect and grace never nothing is ever disconnected; set the other one too';
  const pointer = change.grace === undefined ? '/on_exceed' : '/grace';
  throw new Problem('invalid_value', `${pointer.slice(1)}: ${detail}`, { errors: [{ pointer, detail }] });
}

/** Without the keys that were not sent. */
function present(change: LimitChange): LimitOverride {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

/** A cursor is the place of the last stream listed, which no other ever has. */
const PLACE = /^\d{1,15}$/;

function sendList(
  streams: StreamsPort,
  cursors: Cursors,
  query: ListQuery,
  reply: FastifyReply,
): FastifyReply {
  const after = Number(cursors.read(query.cursor, PLACE) ?? 0);
  let place = after;
  let taken = 0;
  let more = false;
  const keep = (item: StreamSnapshot): 'take' | 'skip' | 'stop' => {
    if (!matches(item, query)) return 'skip';
    if (taken >= query.limit) {
      more = true;
      return 'stop';
    }
    taken++;
    place = streams.place(item.id) ?? place;
    return 'take';
  };
  const tail = (): Record<string, unknown> => ({
    totals: streams.totals(),
    next_cursor: more ? cursors.write(String(place)) : null,
  });
  return reply
    .type('application/json; charset=utf-8')
    .send(jsonList('streams', streams.batches(after), keep, tail));
}

function matches(item: StreamSnapshot, query: ListQuery): boolean {
  return FILTERS.every((name) => query[name] === undefined || item[name] === query[name]);
}
