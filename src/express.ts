/**
 * A rate limit for Express 4 and 5, and for every other router of
 * `(request, response, next)` middleware, on the limiters of Headgate.
 *
 * ```ts
 * import { rateLimit } from 'headgate/express';
 * app.use(rateLimit({ limit: 100, period: '1m' }));
 * app.use('/search', rateLimit({ name: 'search', limit: 10, period: '1m', key: (request) => String(request.headers['x-user']) }));
 * ```
 *
 * @module headgate/express
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Allowance, besideOthers } from './http-limit/allowance.ts';
import type { RateLimitOptions } from './http-limit/options.ts';

export type { AlgorithmName } from './core/limiter/algorithms.ts';
export type { RateLimitOptions } from './http-limit/options.ts';

/** Middleware as Express, Connect and Polka take it. */
export type Middleware<Request> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * The middleware. With a key, cost or skip of Express' own request, say so:
 * `rateLimit<express.Request>({ key: (request) => request.ip ?? '', ... })`.
 * Throws a RangeError for options that mean nothing.
 */
export function rateLimit<Request extends IncomingMessage = IncomingMessage>(
  options: RateLimitOptions<Request>,
): Middleware<Request> {
  const allowance = new Allowance(options);
  return (request, response, next) => {
    let ruling: ReturnType<typeof allowance.rule>;
    try {
      ruling = allowance.rule(request, request);
    } catch (error) {
      next(error);
      return;
    }
    const headers = besideOthers(ruling?.headers ?? {}, (name) => response.getHeader(name));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const refusal = ruling?.refusal ?? null;
    if (refusal === null) next();
    else {
      response.statusCode = refusal.status;
      response.end(refusal.body);
    }
  };
}
