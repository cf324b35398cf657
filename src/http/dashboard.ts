/**
 * The dashboard: a page, a script and a style sheet that `scripts/build-dashboard.js` made, served from memory. The page
 * holds no secrets and is open to everybody; what it shows comes from the API, which asks who is there.
 *
 * The names of script and style sheet carry their hash, so a browser keeps them for ever; the page itself is asked for
 * again each time, and answered 304 while it is the same.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Problem } from './problem.ts';
import { openAnswers } from './schemas/common.ts';

/** Beside the compiled server in a package, in build/ of a checkout. */
const PLACES = ['../dashboard', '../../build/dashboard'].map((place) =>
  path.join(import.meta.dirname, place),
);

/** Encodings that the build made, best first, and how their files end. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Seconds of a year: what caches take for ever. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** Nothing from elsewhere, nothing inline, no form, no frame. `data:` is the icon. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface BuiltFile {
  readonly contentType: string;
  /** by content encoding; `identity` is always there */
  readonly forms: ReadonlyMap<string, Buffer>;
  readonly hash: string;
}

/** Every file of a build by its path from the build's root; null when there is no build. */
function readBuild(folder: string): ReadonlyMap<string, BuiltFile> | null {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return null;
  }
  const files = new Map<string, BuiltFile>();
  for (const name of names) {
    const contentType = CONTENT_TYPES[path.extname(name)];
    if (contentType === undefined) continue;
    const plain = readFileSync(path.join(folder, name));
    const forms = new Map([['identity', plain]]);
    for (const [encoding, ending] of ENCODINGS) {
      if (names.includes(name + ending)) forms.set(encoding, readFileSync(path.join(folder, name + ending)));
    }
    const hash = createHash('sha256').update(plain).digest('base64url');
    files.set(name.replaceAll(path.sep, '/'), { contentType, forms, hash });
  }
  return files.has('index.html') ? files : null;
}

/** A browser, not a program: it says that it wants HTML. */
function wantsPage(request: FastifyRequest): boolean {
  return /\btext\/html\b/i.test(request.headers.accept ?? '');
}

function encodingFor(request: FastifyRequest, file: BuiltFile): string {
  const accepted = request.headers['accept-encoding'];
  const offered = String(accepted ?? '')
    .split(',')
    .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map((part) => part.split(';', 1)[0]!.trim().toLowerCase());
  return (
    ENCODINGS.map(([encoding]) => encoding).find((name) => offered.includes(name) && file.forms.has(name)) ??
    'identity'
  );
}

function send(request: FastifyRequest, reply: FastifyReply, file: BuiltFile, caching: string): FastifyReply {
  const encoding = encodingFor(request, file);
  const etag = `"${file.hash}-${encoding}"`;
  reply.headers({
    'cache-control': caching,
    'content-security-policy': PAGE_POLICY,
    vary: 'accept, accept-encoding',
    etag,
  });
  if (request.headers['if-none-match']?.split(/,\s*/).includes(etag) === true) return reply.code(304).send();
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  return reply.type(file.contentType).send(file.forms.get(encoding));
}

const INDEX_ROUTE = {
  summary: 'The dashboard for browsers, the list of endpoints for programs',
  security: [],
  response: openAnswers(
    {
      200: {
        description: 'By what the caller accepts.',
        content: { 'text/html': { schema: z.string() }, 'text/plain': { schema: z.string() } },
      },
    },
    'unavailable',
  ),
};

export interface DashboardOptions {
  /** what programs get at `/`: text */
  readonly index: string;
  /** where the build is; found beside the server when absent */
  readonly folder?: string | undefined;
}

/** `GET /` and `GET /assets/*`. The build is read once, or as soon as there is one. */
export function dashboardRoutes(app: FastifyInstance, { index, folder }: DashboardOptions): void {
  const places = folder === undefined ? PLACES : [folder];
  let build: ReadonlyMap<string, BuiltFile> | null = null;
  const files = () => {
    for (const place of places) build ??= readBuild(place);
    if (build !== null) return build;
    const remedy = 'in a checkout: node scripts/build-dashboard.js; in a package: install it again';
    throw new Problem('unavailable', `the dashboard is not built (${remedy}); the API works without it`);
  };
  const hide = { schema: { hide: true } as object };
  app.get('/', { schema: INDEX_ROUTE }, (request, reply) => {
    if (wantsPage(request)) return send(request, reply, files().get('index.html')!, 'no-cache');
    return reply.header('vary', 'accept').type('text/plain; charset=utf-8').send(index);
  });
  app.get<{ Params: { name: string } }>('/assets/:name', hide, (request, reply) => {
    const file = files().get(`assets/${request.params.name}`);
    if (file === undefined) throw new Problem('not_found', 'there is no such asset; load the page again');
    return send(request, reply, file, FOR_EVER);
  });
}
