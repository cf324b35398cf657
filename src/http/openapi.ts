/**
 * The OpenAPI document, made from the same zod schemas that validate the
 * requests. What every operation has in common is added here: its name, the
 * headers of the rate limit, and the problems, each written once.
 */
import fastifySwagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { PROBLEM_MEANING, PROBLEM_STATUS, Problem, type ProblemCode } from './problem.ts';

const DESCRIPTION = `The admin API of a Headgate server.

- Errors are application/problem+json (RFC 9457); \`code\` is the word to switch on. Problems that any request may meet
  (not_found of an unknown path, method_not_allowed, request_timeout, uri_too_long, headers_too_large, internal) are
  not repeated at each operation.
- Quantities in requests carry their unit: 4Mbps, 30s, 25fps, 100/min. In answers the unit is in the name, and null is
  unlimited, never or not known.
- Lists are paged: pass next_cursor as ?cursor= with the same filters until it is null.
- Answers may grow new members; ignore what you do not know. GET answers to HEAD as well.
- With admin.tokens a token is needed; a viewer's reads, an operator's also changes. Without, the API answers to this
  machine only. There are no cookies.`;

const TOKEN_DESCRIPTION =
  'A token of admin.tokens, made by headgate token. Not needed while admin.tokens is empty and the caller on this machine.';

type Json = Record<string, unknown>;

/** What is read of an operation; the rest is passed on. */
interface Operation extends Json {
  responses: Record<string, Json>;
}

interface Document extends Json {
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, Json>>;
}

/** Must run before the routes are declared: it collects them as they come. */
export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Headgate',
        version,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: 'http://127.0.0.1:8080', description: 'the default of listen.admin' }],
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer', description: TOKEN_DESCRIPTION } },
      },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => {
      const made = jsonSchemaTransformObject(document);
      complete(made as unknown as Document);
      return made;
    },
  });
}

function complete(document: Document): void {
  const { components, paths } = document;
  const schemas = components['schemas'] ?? {};
  // The transform writes each shape twice, for requests (`...Input`) and for answers; ours are answers only.
  for (const name of Object.keys(schemas)) if (name.endsWith('Input')) delete schemas[name];
  opened(schemas);
  components['headers'] = HEADERS;
  components['responses'] = Object.fromEntries(
    (Object.keys(PROBLEM_STATUS) as ProblemCode[]).map((code) => [code, problemResponse(code)]),
  );
  for (const [path, operations] of Object.entries(paths)) {
    // HEAD is GET without the body; the description says so once.
    delete operations['head'];
    for (const [method, operation] of Object.entries(operations)) {
      const takesNothing = operation['parameters'] === undefined && operation['requestBody'] === undefined;
      const responses = Object.entries(operation.responses)
        // Where there is nothing to read there is nothing that cannot be read.
        .filter(([status]) => !(takesNothing && status === '400'))
        .map(([status, response]) => [status, responseOf(response)]);
      operations[method] = {
        operationId: operationId(method, path),
        tags: [tagOf(path)],
        ...operation,
        responses: Object.fromEntries(responses),
      };
    }
  }
}

/** `patchStreamsIdLimits` */
function operationId(method: string, path: string): string {
  const words = path.replace('/api/v1', '').match(/[a-z]+/gi) ?? [path === '/' ? 'page' : 'index'];
  return method + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}

function tagOf(path: string): string {
  return /^\/api\/v1\/(\w+)/.exec(path)?.[1] ?? 'server';
}

/** A problem by its name; an own answer with what goes with every one. */
function responseOf(response: Json): Json {
  const { content, description } = response as { content?: Json; description?: string };
  if (content !== undefined && 'application/problem+json' in content) {
    return { $ref: `#/components/responses/${description}` };
  }
  opened(content);
  return {
    ...response,
    description: description === 'Default Response' ? 'Done.' : description,
    headers: headersNamed(RATE_HEADERS),
  };
}

/** Answers may grow: who generates a client from this must not refuse a new member. */
function opened(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const schema = value as Json;
  if (schema['additionalProperties'] === false) delete schema['additionalProperties'];
  for (const inner of Object.values(schema)) opened(inner);
}

const HEADERS: Record<string, Json> = {
  RateLimit: {
    description:
      'r requests are left; in t seconds all are back, or, at none, the next (draft-ietf-httpapi-ratelimit-headers).',
    schema: { type: 'string', examples: ['"api";r=99;t=1'] },
  },
  'RateLimit-Policy': {
    description: 'q requests in w seconds, of one token, or of one address without.',
    schema: { type: 'string', examples: ['"api";q=100;w=2'] },
  },
  'Retry-After': {
    description: 'Seconds after which to ask again.',
    schema: { type: 'integer', minimum: 1, examples: [1] },
  },
  'WWW-Authenticate': {
    description: 'RFC 6750.',
    schema: { type: 'string', examples: ['Bearer realm="headgate"'] },
  },
  Allow: { description: 'Methods of the path.', schema: { type: 'string', examples: ['GET, HEAD'] } },
};

const RATE_HEADERS = ['RateLimit', 'RateLimit-Policy'];

/** Headers that come with a problem. */
const HEADERS_OF: Readonly<Partial<Record<ProblemCode, readonly string[]>>> = {
  unauthorized: ['WWW-Authenticate'],
  method_not_allowed: ['Allow'],
  too_many_requests: ['Retry-After', ...RATE_HEADERS],
  unavailable: ['Retry-After'],
};

function headersNamed(names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function problemResponse(code: ProblemCode): Json {
  const { means, example } = PROBLEM_MEANING[code];
  const headers = HEADERS_OF[code];
  return {
    description: means,
    ...(headers === undefined ? {} : { headers: headersNamed(headers) }),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        example: new Problem(code, example.detail, example).toJSON(),
      },
    },
  };
}
