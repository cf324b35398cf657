/**
 * A rate limit for Fastify 5, on the limiters of Headgate.
 *
 * ```ts
 * import { rateLimit } from 'headgate/fastify';
 * await app.register(rateLimit({ limit: 100, period: '1m' }));
 * ```
 *
 * It holds for the scope it is registered in and the scopes below, from the
 * registration on; register it twice with two names for two limits.
 *
 * @module headgate/fastify
 */
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { Allowance, besideOthers } from './http-limit/allowance.ts';
import type { RateLimitOptions } from './http-limit/options.ts';

export type { AlgorithmName } from './core/limiter/algorithms.ts';
export type { RateLimitOptions } from './http-limit/options.ts';

/** The plugin; `await app.register(...)` it before the routes it is for. Throws a RangeError for options that mean nothing. */
export function rateLimit(options: RateLimitOptions<FastifyRequest>): FastifyPluginAsync {
  const allowance = new Allowance(options);
  const plugin: FastifyPluginAsync = async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      const ruling = allowance.rule(request, request.raw);
      if (ruling === null) return undefined;
      reply.headers(besideOthers(ruling.headers, (name) => reply.getHeader(name)));
      if (ruling.refusal === null) return undefined;
      return reply.code(ruling.refusal.status).send(ruling.refusal.body);
    });
  };
  // The hook belongs to the scope of whoever registers it (what fastify-plugin does).
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'headgate-rate-limit',
  });
}
