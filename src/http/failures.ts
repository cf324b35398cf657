/**
 * What goes wrong before or around a route, as problems: bad JSON, a body too
 * large, a value that does not validate, a path or method that does not exist,
 * and bytes that are no HTTP at all.
 */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEM_TYPE, Problem, type ProblemCode, type ProblemError, sendProblem } from './problem.ts';

/** Where unexpected faults are written; pino has this shape. */
export interface FaultLog {
  error(fields: object, sentence: string): void;
}

const CODE_OF_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'bad_request',
  408: 'request_timeout',
  413: 'body_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  431: 'headers_too_large',
  503: 'unavailable',
};

/** Node's codes for bytes that its parser refuses. */
const CODE_OF_PARSER_ERROR: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** An error of a route, of Fastify, or a fault of ours, as the problem to answer with. */
function problemOf(error: FastifyError | Problem, request: FastifyRequest, log: FaultLog): Problem {
  if (error instanceof Problem) return error;
  if (error.validationContext === 'params') return nothingHere();
  if (error.validation !== undefined) return invalid(error);
  const code = CODE_OF_STATUS[error.statusCode ?? 500];
  if (code !== undefined) return new Problem(code, sentence(error));
  log.error({ err: error, method: request.method, path: request.url.split('?', 1)[0] }, 'a request failed');
  return new Problem('internal', 'an unexpected fault; the server log has it');
}

/** Fastify's own sentence, unless it could quote what was sent. */
function sentence(error: FastifyError): string {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'the body is larger than 16 KiB';
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return 'send the body as application/json';
  if (error instanceof SyntaxError || error.code?.startsWith('FST_ERR_CTP'))
    return 'the body is not valid JSON';
  return 'the request cannot be read';
}

function invalid(error: FastifyError): Problem {
  const inBody = error.validationContext === 'body';
  const errors = error.validation!.flatMap((issue): ProblemError[] => {
    const path = issue.instancePath;
    const unknown =
      issue.keyword === 'unrecognized_keys' ? (issue.params as { keys?: string[] }).keys : undefined;
    if (unknown !== undefined) {
      return unknown
        .slice(0, 10)
        .map((key) => at(inBody, `/${pointerPart(key.slice(0, 100))}`, 'unknown key'));
    }
    return [at(inBody, path === '/' ? '' : path, issue.message ?? 'not valid')];
  });
  const first = errors[0];
  const where = first?.pointer ?? first?.parameter ?? '';
  const detail = `${where === '' ? (inBody ? 'the body' : 'the query') : where.replace(/^\//, '')}: ${first?.detail}`;
  return new Problem(inBody ? 'invalid_value' : 'bad_request', detail, { errors });
}

function at(inBody: boolean, pointer: string, detail: string): ProblemError {
  return inBody ? { pointer, detail } : { parameter: pointer.replace(/^\//, ''), detail };
}

/** RFC 6901, section 3. */
function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Answers what no route answers: 405 with `Allow` when the path exists, else 404. */
export function answerUnknownRoutes(app: FastifyInstance): void {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const name of [method].flat()) route.methods.add(name);
    routes.set(url, route);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    const route = [...routes.values()].find(({ pattern }) => pattern.test(path));
    if (route === undefined) {
      return sendProblem(
        reply,
        new Problem('not_found', 'there is nothing at this path; GET / lists the endpoints'),
      );
    }
    const allow = [...route.methods].sort().join(', ');
    const detail = `this path answers to ${allow}`;
    return sendProblem(reply, new Problem('method_not_allowed', detail, { headers: { allow } }));
  });
}

function nothingHere(): Problem {
  return new Problem('not_found', 'there is nothing at this path; GET / lists the endpoints');
}

function patternOf(url: string): RegExp {
  return new RegExp(`^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`);
}

/** Answers bytes that are no HTTP, on the bare socket, and closes it. */
export function answerBadHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const code = CODE_OF_PARSER_ERROR[error.code ?? ''] ?? 'bad_request';
  const problem = new Problem(code, 'this is no HTTP request that can be read');
  const body = JSON.stringify(problem);
  const { status, title } = problem.toJSON();
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

export function answerFailure(
  error: FastifyError | Problem,
  request: FastifyRequest,
  reply: FastifyReply,
  log: FaultLog,
) {
  return sendProblem(reply, problemOf(error, request, log));
}
