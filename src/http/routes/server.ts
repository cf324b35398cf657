import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Role } from '../../core/roles.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { ENDPOINTS } from '../endpoints.ts';
import type { Readiness, ServerPort } from '../ports.ts';
import { Problem } from '../problem.ts';
import { answers, openAnswers } from '../schemas/common.ts';
import { apiIndex, effectiveConfig, ready, resources } from '../schemas/server.ts';

const text = (contentType: string, description: string) => ({
  description,
  content: { [contentType]: { schema: z.string() } },
});

/** When a probe should ask again where no clock knows, seconds. */
const RETRY_AFTER_S = 5;

export const serverRoutes: FastifyPluginCallbackZod<{ server: ServerPort; metrics: Metrics }> = (
  app,
  options,
  done,
) => {
  const { server, metrics } = options;
  app.get(
    '/api/v1',
    {
      schema: {
        summary: 'Who answers, who asks, and what there is',
        response: answers({ 200: apiIndex }),
      },
    },
    (request) => {
      const { role, by } = request.caller;
      // An anonymous caller does not come this far.
      return { ...server.about(), caller: { role: role as Role, by }, endpoints: [...ENDPOINTS] };
    },
  );

  app.get(
    '/healthz',
    {
      schema: {
        summary: 'The process lives',
        security: [],
        response: openAnswers({ 200: z.object({ status: z.literal('ok') }) }),
      },
    },
    () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        summary: 'Newcomers are let in',
        security: [],
        description:
          'A failed config reload is told in config_error, but the server is ready: it runs the old config.',
        response: openAnswers({ 200: ready }, 'unavailable'),
      },
    },
    (request) => {
      const state = server.readiness();
      // The cause may quote the config file: only for those who may read the config.
      const cause = request.caller.role === 'anonymous' ? 'the last reload failed' : state.config_error;
      const shown = {
        ready: state.ready,
        reasons: state.reasons,
        retry_after_ms: state.retry_after_ms,
        config_error: state.config_error === null ? null : cause,
      };
      if (!state.ready) throw notReady(shown);
      return shown;
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Prometheus metrics',
        response: answers({ 200: text('text/plain', 'text exposition format') }),
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.scrape()),
  );

  app.get(
    '/api/v1/resources',
    {
      schema: {
        summary: 'The machine, the gate, and what is done about it',
        response: answers({ 200: resources }),
      },
    },
    () => server.resources(),
  );

  app.get(
    '/api/v1/config',
    {
      schema: { summary: 'The config in force, secrets masked', response: answers({ 200: effectiveConfig }) },
    },
    () => server.effectiveConfig(),
  );
  done();
};

function notReady(shown: Readiness): Problem {
  const { reasons, retry_after_ms: retryMs } = shown;
  // Rounded up: a promise in whole seconds must not come early.
  const seconds = retryMs === null ? RETRY_AFTER_S : Math.max(1, Math.ceil(retryMs / 1_000));
  return new Problem('unavailable', `no newcomers: ${reasons.join(', ')}`, {
    headers: { 'retry-after': String(seconds) },
    members: { ...shown },
  });
}
