import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { openApiText } from '../../src/http/openapi-text.ts';
import { PROBLEM_STATUS } from '../../src/http/problem.ts';
import { VERSION } from '../../src/version.ts';
import { ROOT } from './repository.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { $ref?: string; content?: object; headers?: object }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const text = await openApiText(VERSION);
const document = JSON.parse(text) as Document;
const operations = Object.entries(document.paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ url, method, operation })),
);

test('docs/openapi.json is what the routes say; if not: npm run -s openapi', () => {
  expect(readFileSync(path.join(ROOT, 'docs/openapi.json'), 'utf8') === text).toBe(true);
});

test('the document is valid OpenAPI 3.1, and a broken one would be noticed', async () => {
  const validator = new Validator();
  expect(await validator.validate(JSON.parse(text))).toEqual({ valid: true });
  const broken = JSON.parse(text);
  broken.paths['/healthz'].get.responses = 'none';
  expect((await validator.validate(broken)).valid).toBe(false);
});

test('every reference leads somewhere', () => {
  const references = [
    ...new Set(
      [...text.matchAll(/"\$ref": "#\/components\/(\w+)\/([^"]+)"/g)].map(
        ([, kind, name]) => `${kind}/${name}`,
      ),
    ),
  ];
  const missing = references.filter((reference) => {
    const [kind, name] = reference.split('/') as [string, string];
    return !(name in (document.components[kind] ?? {}));
  });
  expect([references.length > 10, missing]).toEqual([true, []]);
});

describe('every operation', () => {
  test('has a name of its own, a tag and a summary', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations.filter(({ operation }) => operation.tags.length !== 1 || !operation.summary)).toEqual(
      [],
    );
  });

  test('says what it answers with, and where it stands with the rate limit', () => {
    const bare = operations.filter(
      ({ operation: { responses } }) => !responses['200']?.content || !responses['200'].headers,
    );
    expect(bare.map(({ url }) => url)).toEqual([]);
  });

  test('needs a token, but for the probes and the page', () => {
    const open = operations.filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ url }) => url).sort()).toEqual(['/', '/healthz', '/readyz']);
    const withoutRefusal = operations.filter(
      ({ operation: { responses } }) => !responses['401'] || !responses['403'],
    );
    expect(withoutRefusal.map(({ url }) => url).sort()).toEqual(['/', '/healthz', '/readyz']);
  });
});

test('every problem code is described, with an example that tells its own status', () => {
  const told = Object.entries(document.components['responses'] ?? {}).map(([code, response]) => {
    const { content } = response as {
      content: Record<string, { example: { code: string; status: number } }>;
    };
    const { example } = content['application/problem+json']!;
    return [code, example.code, example.status];
  });
  expect(told).toEqual(Object.entries(PROBLEM_STATUS).map(([code, status]) => [code, code, status]));
});
