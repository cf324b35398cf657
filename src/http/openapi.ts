/** The OpenAPI document, made from the same zod schemas that validate the requests. */
import fastifySwagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** Must run before the routes are declared: it collects them as they come. */
export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Headgate',
        version,
        description:
          'Errors are application/problem+json (RFC 9457). Quantities in requests carry their unit.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutInputTwins(jsonSchemaTransformObject(document)),
  });
}

/** The transform writes each shape twice, for requests (`...Input`) and for answers; ours are answers only. */
function withoutInputTwins(document: ReturnType<typeof jsonSchemaTransformObject>): typeof document {
  const schemas =
    (document as { components?: { schemas?: Record<string, unknown> } }).components?.schemas ?? {};
  for (const name of Object.keys(schemas)) if (name.endsWith('Input')) delete schemas[name];
  return document;
}
