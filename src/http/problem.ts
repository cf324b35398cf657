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

interface Meaning {
  readonly means: string;
  /** as it may be answered */
  readonly example: ProblemOptions & { readonly detail: string };
}

/** What each code says, for the OpenAPI document. */
export const PROBLEM_MEANING: Readonly<Record<ProblemCode, Meaning>> = {
  bad_request: {
    means: 'The request, its query or its JSON cannot be read.',
    example: {
      detail: 'limit: expected 1 to 1000',
      errors: [{ parameter: 'limit', detail: 'expected 1 to 1000' }],
    },
  },
  unauthorized: {
    means: 'No token, or one that is not known.',
    example: { detail: 'send a token as "Authorization: Bearer TOKEN"' },
  },
  forbidden: {
    means: 'The caller has no right to this, or a page of another web site asked.',
    example: { detail: 'a viewer token may only read; this needs an operator token' },
  },
  not_found: {
    means: 'There is no such thing (any more).',
    example: { detail: 'there is no stream "s-9" (any more)' },
  },
  method_not_allowed: {
    means: 'The path answers to other methods.',
    example: { detail: 'this path answers to GET, HEAD' },
  },
  request_timeout: {
    means: 'The request did not come to its end in time.',
    example: { detail: 'this is no HTTP request that can be read' },
  },
  conflict: {
    means: 'The thing is in a state in which this cannot be done.',
    example: { detail: 'stream s-7k2f0 is closing already; nothing can be changed of it' },
  },
  body_too_large: {
    means: 'The body is over 16 KiB.',
    example: { detail: 'the body is larger than 16 KiB' },
  },
  uri_too_long: {
    means: 'A part of the path is over 512 characters.',
    example: { detail: 'the request cannot be read' },
  },
  unsupported_media_type: {
    means: 'The body is no application/json.',
    example: { detail: 'send the body as application/json' },
  },
  invalid_value: {
    means: 'A value of the body is not possible, or not together with another one or with how the stream is.',
    example: {
      detail: 'max_bitrate: 4 has no unit; did you mean 4Mbps, 4kbps or 4MB/s?',
      errors: [{ pointer: '/max_bitrate', detail: '4 has no unit; did you mean 4Mbps, 4kbps or 4MB/s?' }],
    },
  },
  too_many_requests: {
    means: 'The caller asks more often than admin.rate_limit lets him.',
    example: {
      detail: 'more requests from one caller than 50 in 1 s; wait 1 s',
      members: { 'violated-policies': ['api'] },
    },
  },
  headers_too_large: {
    means: 'The headers are over 16 KiB.',
    example: { detail: 'this is no HTTP request that can be read' },
  },
  internal: {
    means: 'A fault of the server; its log has the cause.',
    example: { detail: 'an unexpected fault; the server log has it' },
  },
  unavailable: {
    means: 'Not now: newcomers are not let in, or there are too many subscribers.',
    example: { detail: 'no newcomers: resource_cpu' },
  },
};

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
