/**
 * Who may do what. With tokens, a request carries `Authorization: Bearer ...`;
 * a viewer may read, an operator may also change. Without tokens the API is
 * open to whoever is on this machine, as operator; then the danger is a web
 * page in the operator's browser, which can reach loopback too. Two things
 * stop it: the Host header must name this machine (a page that rebinds its own
 * name to 127.0.0.1 still sends its own name), and requests that a browser
 * marks as coming from another site are refused (Fetch Metadata, Origin).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { parseIp } from '../lib/ip.ts';
import { Problem } from './problem.ts';

export const ROLES = ['viewer', 'operator'] as const;

export type Role = (typeof ROLES)[number];

export interface AdminToken {
  readonly token: string;
  readonly role: Role;
}

export interface Caller {
  readonly role: Role | 'anonymous';
  /** for the audit trail: `operator@127.0.0.1` */
  readonly by: string;
  /** what its request rate is held on: its token, or its address */
  readonly limitKey: string;
}

interface HashedToken {
  readonly hash: Buffer;
  readonly role: Role;
}

/** Paths that answer without a token: probes of a load balancer, and the list of endpoints. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/']);

export class AccessControl {
  readonly #tokens: () => readonly AdminToken[];
  #hashedFrom: readonly AdminToken[] | null = null;
  #hashed: readonly HashedToken[] = [];

  /** `tokens` is asked on each request, so that a reload takes effect at once. */
  constructor(tokens: () => readonly AdminToken[]) {
    this.#tokens = tokens;
  }

  /** Who is asking. Never throws: a wrong token is nobody. */
  identify(request: FastifyRequest): Caller {
    const address = request.ip;
    const tokens = this.#hashedTokens();
    if (tokens.length === 0) {
      const role = isLoopback(address) ? 'operator' : 'anonymous';
      return { role, by: `${role}@${address}`, limitKey: address };
    }
    const presented = bearer(request);
    const found = presented === null ? -1 : indexOfToken(tokens, presented);
    if (found < 0) return { role: 'anonymous', by: `anonymous@${address}`, limitKey: address };
    const { role } = tokens[found]!;
    return { role, by: `${role}@${address}`, limitKey: `token ${found}` };
  }

  /** Throws the 401 or 403 of a request that `caller` may not make. */
  authorize(request: FastifyRequest, caller: Caller): void {
    const path = request.url.split('?', 1)[0]!;
    if (OPEN_PATHS.has(path) && isRead(request)) return;
    const open = this.#hashedTokens().length === 0;
    if (caller.role === 'anonymous') {
      if (open) throw new Problem('forbidden', 'without admin.tokens the API answers only to this machine');
      throw unauthorized(bearer(request) !== null);
    }
    if (open) refuseBrowsersFromElsewhere(request);
    if (caller.role === 'viewer' && !isRead(request)) {
      throw new Problem('forbidden', 'a viewer token may only read; this needs an operator token', {
        headers: { 'www-authenticate': 'Bearer realm="headgate", error="insufficient_scope"' },
      });
    }
  }

  #hashedTokens(): readonly HashedToken[] {
    const tokens = this.#tokens();
    if (tokens !== this.#hashedFrom) {
      this.#hashed = tokens.map(({ token, role }) => ({ hash: hashOf(token), role }));
      this.#hashedFrom = tokens;
    }
    return this.#hashed;
  }
}

function isRead(request: FastifyRequest): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

function unauthorized(presented: boolean): Problem {
  const challenge = presented ? 'Bearer realm="headgate", error="invalid_token"' : 'Bearer realm="headgate"';
  const detail = presented ? 'this token is not known' : 'send a token as "Authorization: Bearer TOKEN"';
  return new Problem('unauthorized', detail, { headers: { 'www-authenticate': challenge } });
}

function bearer(request: FastifyRequest): string | null {
  const match = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '');
  return match === null ? null : match[1]!;
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * Hashes have one length whatever was sent, and all are compared, so the time
 * taken tells neither how much of a token was right nor which one it was.
 */
function indexOfToken(tokens: readonly HashedToken[], presented: string): number {
  const hash = hashOf(presented);
  let found = -1;
  for (const [index, token] of tokens.entries()) {
    if (timingSafeEqual(token.hash, hash) && found < 0) found = index;
  }
  return found;
}

/** True for 127.0.0.0/8, ::1, and IPv4 loopback in IPv6 clothing. */
export function isLoopback(text: string): boolean {
  const address = parseIp(text);
  if (address === null) return false;
  return address.family === 4
    ? address.words[0]! >>> 24 === 127
    : address.words.every((word, index) => word === (index === 3 ? 1 : 0));
}

function refuseBrowsersFromElsewhere(request: FastifyRequest): void {
  const host = request.headers.host ?? '';
  if (!namesThisMachine(host)) {
    throw new Problem(
      'forbidden',
      'without admin.tokens the API answers only to localhost, 127.0.0.1 or [::1] as Host; configure a token to use another name',
    );
  }
  const site = request.headers['sec-fetch-site'];
  const navigates = request.headers['sec-fetch-mode'] === 'navigate' && isRead(request);
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !navigates) throw crossSite();
  const { origin } = request.headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) throw crossSite();
}

function crossSite(): Problem {
  return new Problem(
    'forbidden',
    'without admin.tokens the API refuses requests that come from another web site',
  );
}

function namesThisMachine(host: string): boolean {
  const name = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(host.toLowerCase());
  if (name === null) return false;
  const bare = name[1] ?? name[2]!;
  return bare === 'localhost' || bare.endsWith('.localhost') || isLoopback(bare);
}
