/**
 * The admin API (product contract, section 5): Fastify with a schema on every
 * route, one error format, its own rate limit, and bounds on everything a
 * stranger can hold open.
 *
 * Who closes whom: `close()` ends the event subscriptions, lets running
 * answers finish for a second, then closes every connection.
 */
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { monotonicMs } from '../lib/clock.ts';
import { HeadgateError } from '../lib/errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { AccessControl, type AdminToken, type Caller, isRead } from './access.ts';
import { capConnectionsPerAddress } from './connection-cap.ts';
import { dashboardRoutes } from './dashboard.ts';
import { ENDPOINTS_TEXT } from './endpoints.ts';
import { EventFeed, type EventFeedOptions } from './event-feed.ts';
import { answerBadHttp, answerFailure, answerUnknownRoutes, type FaultLog } from './failures.ts';
import { OpenAnswers } from './open-answers.ts';
import { registerOpenApi } from './openapi.ts';
import type { AdminPort } from './ports.ts';
import { Problem } from './problem.ts';
import { RefusedChanges } from './refused-changes.ts';
import { type RequestAllowance, RequestLimit } from './request-limit.ts';
import { backpressureRoutes } from './routes/backpressure.ts';
import { clientRoutes } from './routes/clients.ts';
import { eventRoutes } from './routes/events.ts';
import { historyRoutes } from './routes/history.ts';
import { receiptRoutes } from './routes/receipts.ts';
import { serverRoutes } from './routes/server.ts';
import { streamRoutes } from './routes/streams.ts';
import { answers } from './schemas/common.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

/** Bytes of a request body: the largest sensible one is 200. */
const BODY_BYTES_MAX = 16 * 1024;

/** Bytes of a request line and headers. */
const HEADER_BYTES_MAX = 16 * 1024;

/** ms to send the headers, and the whole request: a client that drips bytes (slowloris) gets no longer. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** ms a connection may rest between requests, and may refuse to read an answer. */
const KEEP_ALIVE_MS = 5_000;
const STALLED_MS = 30_000;

/** Connections in all. */
const CONNECTIONS_MAX = 256;

/** How long running answers may take when the server stops, ms. */
const CLOSE_GRACE_MS = 1_000;

/** Nothing here is a page to be framed, sniffed, cached or told to others. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

export interface AdminServerOptions {
  /** `admin.tokens`, asked on each request; empty = open to this machine only */
  readonly tokens: () => readonly AdminToken[];
  /** `admin.rate_limit`, asked on each request */
  readonly rateLimit: () => RequestAllowance;
  readonly metrics: Metrics;
  readonly log: FaultLog;
  readonly events?: EventFeedOptions;
  /** the folder of the built dashboard, where it is not beside the server */
  readonly dashboard?: string;
}

export interface AdminServer {
  /** Starts to listen; throws HG_LISTEN. Port 0 takes a free one. */
  listen(host: string, port: number): Promise<void>;
  /** where it listens; null before and after */
  address(): { host: string; port: number } | null;
  close(): Promise<void>;
  /** events that slow subscribers did not get, for the metrics */
  eventsDropped(): number;
  /** the OpenAPI document */
  openApi(): unknown;
}

const OPENAPI_ROUTE = {
  summary: 'This document',
  response: answers({ 200: z.looseObject({ openapi: z.string() }) }),
};

/** Builds the API over a running server. It does not listen yet. */
export async function createAdminServer(port: AdminPort, options: AdminServerOptions): Promise<AdminServer> {
  const app = bareServer(options.log);
  const feed = new EventFeed(port, options.events);
  const access = new AccessControl(options.tokens);
  answerUnknownRoutes(app);
  guard(app, {
    access,
    limit: new RequestLimit(options.rateLimit),
    refused: new RefusedChanges(port.audit),
    open: new OpenAnswers(),
  });
  await registerOpenApi(app, port.server.about().version);
  await app.register(streamRoutes, { streams: port.streams, startedAt: port.server.about().started_at });
  await app.register(clientRoutes, { clients: port.clients });
  await app.register(receiptRoutes, { audit: port.audit });
  await app.register(historyRoutes, { history: port.history });
  await app.register(eventRoutes, { feed, access });
  await app.register(backpressureRoutes, { governor: port.governor });
  await app.register(serverRoutes, { server: port.server, metrics: options.metrics });
  dashboardRoutes(app, { index: ENDPOINTS_TEXT, folder: options.dashboard });
  app.get('/api/v1/openapi.json', { schema: OPENAPI_ROUTE }, () => app.swagger());
  await app.ready();
  return {
    listen: (host, number) => listen(app, host, number),
    address: () => {
      const address = app.server.address() as AddressInfo | null;
      return address === null ? null : { host: address.address, port: address.port };
    },
    close: () => close(app, feed),
    eventsDropped: () => feed.dropped,
    openApi: () => app.swagger(),
  };
}

function bareServer(log: FaultLog): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: STALLED_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    // Its 503 would be no problem document; what still comes while closing is answered as usual.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
    },
    clientErrorHandler: answerBadHttp,
    frameworkErrors: (error, request, reply) => {
      (reply as FastifyReply).headers(SECURITY_HEADERS);
      answerFailure(error, request, reply as FastifyReply, log);
    },
  });
  // The default text/plain parser would let a form of another site send a body without asking first (CORS).
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(validatorCompiler);
  // Answers are typed from the schemas and tested against them: checking each one again would only cost time.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.setErrorHandler((error: Parameters<typeof answerFailure>[0], request, reply) =>
    answerFailure(error, request, reply, log),
  );
  app.server.maxConnections = CONNECTIONS_MAX;
  capConnectionsPerAddress(app.server);
  return app.withTypeProvider<ZodTypeProvider>() as unknown as FastifyInstance;
}

/** Paths that load balancers ask. */
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** The feed never ends, and bounds its subscribers itself. */
const ENDLESS = '/api/v1/events';

/** Between two looks for answers that nobody takes, ms. */
const SWEEP_MS = 5_000;

interface Guards {
  readonly access: AccessControl;
  readonly limit: RequestLimit;
  readonly refused: RefusedChanges;
  readonly open: OpenAnswers;
}

/** Every request, also one that no route answers: headers, who asks, how often, whether he may. */
function guard(app: FastifyInstance, { access, limit, refused, open }: Guards): void {
  app.decorateRequest('caller');
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    request.caller = access.identify(request);
    // A probe is cheaper to answer than to refuse, and a refused one takes the server out of its balancer.
    const now = monotonicMs();
    if (!PROBES.has(request.url)) limit.charge(request.caller.limitKey, reply, now);
    try {
      access.authorize(request, request.caller);
    } catch (error) {
      if (error instanceof Problem && !isRead(request)) refused.write(request, error, now);
      throw error;
    }
    const { role, limitKey } = request.caller;
    const caller = { key: `${limitKey.kind} ${limitKey.key}`, stranger: role === 'anonymous' };
    if (!PROBES.has(request.url) && request.routeOptions.url !== ENDLESS) open.begin(caller, reply, now);
    done();
  });
  const sweeping = setInterval(() => open.sweep(monotonicMs()), SWEEP_MS).unref();
  app.addHook('onClose', async () => clearInterval(sweeping));
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const cause =
      code === 'EADDRINUSE'
        ? 'the port is in use'
        : code === 'EACCES'
          ? 'no permission for this port'
          : message;
    throw new HeadgateError('HG_LISTEN', `listen.admin: cannot listen on ${host}:${port}: ${cause}`, {
      cause: error,
    });
  }
}

async function close(app: FastifyInstance, feed: EventFeed): Promise<void> {
  feed.close();
  const grace = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
  await app.close();
  clearTimeout(grace);
}
