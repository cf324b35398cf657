/**
 * Errors of the API: `application/problem+json` (RFC 9457). `code` is the word
 * programs switch on; `detail` says what was wrong and what to do; `errors`
 * points at each bad value (a JSON pointer into the body, or a parameter).
 */
import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';

/** HTTP status of every problem code. */
export const PROBLEM_STATUS = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  body_too_large: 413,
  uri_too_long: 414,
  unsupported_media_type: 415,
  invalid_value: 422,
  too_many_requests: 429,
  headers_too_large: 431,
  internal: 500,
  unavailable: 503,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Registered for rate limits by draft-ietf-httpapi-ratelimit-headers; the other problems need no type of their own. */
const QUOTA_EXCEEDED = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

export interface ProblemError {
  /** JSON pointer into the request body (RFC 6901) */
  readonly pointer?: string;
  /** name of a query or path parameter */
  readonly parameter?: string;
  readonly detail: string;
}

export interface ProblemOptions {
  readonly errors?: readonly ProblemError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** further members of the body (RFC 9457, section 3.2) */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** Thrown by routes, written by the error handler of `server.ts`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.options = options;
  }

  get status(): number {
    return PROBLEM_STATUS[this.code];
  }

  toJSON(): Record<string, unknown> {
    const { errors, members } = this.options;
    return {
      type: this.code === 'too_many_requests' ? QUOTA_EXCEEDED : 'about:blank',
      title: STATUS_CODES[this.status],
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(errors === undefined ? {} : { errors }),
      ...members,
    };
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers({ ...problem.options.headers })
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem));
}

/** The 404 of every `{id}` route. */
export function unknownId(noun: string, id: string): Problem {
  return new Problem('not_found', `there is no ${noun} ${JSON.stringify(id.slice(0, 100))} (any more)`);
}
