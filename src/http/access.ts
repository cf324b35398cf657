/**
 * Who may do what. With tokens, a request carries `Authorization: Bearer ...`;
 * a viewer may read, an operator may also change. Without tokens the API is
 * open to whoever is on this machine, as operator; then the danger is a web
 * page in the operator's browser, which can reach loopback too: see `origin.ts`.
 */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Role } from '../core/roles.ts';
import { isLoopback, refuseForeignChange, refuseForeignPages } from './origin.ts';
import { Problem } from './problem.ts';
import { callerAddress, type LimitKey } from './request-limit.ts';
import { digestOfHash, digestOfToken, isDrawnToken } from './token-hash.ts';

/** An entry of `admin.tokens`: one of `token` and `hash`. */
export interface AdminToken {
  readonly token?: string;
  /** see `token-hash.ts` */
  readonly hash?: string;
  readonly role: Role;
  /** who has it */
  readonly name?: string;
}

export interface Caller {
  readonly role: Role | 'anonymous';
  /** for the audit trail: `operator alice@127.0.0.1`, without a name `operator@127.0.0.1` */
  readonly by: string;
  /** what its request rate is held on: its token, or its address */
  readonly limitKey: LimitKey;
}

interface KnownToken {
  readonly digest: Buffer;
  /** the config holds only its hash: see `token-hash.ts` */
  readonly hashed: boolean;
  readonly role: Role;
  /** `operator alice` */
  readonly who: string;
}

/** Paths that answer without a token: probes of a load balancer, the list of endpoints, and the dashboard, which holds no secrets. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/']);
const OPEN_FOLDER = '/assets/';

export class AccessControl {
  readonly #tokens: () => readonly AdminToken[];
  #knownFrom: readonly AdminToken[] | null = null;
  #known: readonly KnownToken[] = [];

  /** `tokens` is asked on each request, so that a reload takes effect at once. */
  constructor(tokens: () => readonly AdminToken[]) {
    this.#tokens = tokens;
  }

  /** Who is asking. Never throws: a wrong token is nobody. */
  identify(request: FastifyRequest): Caller {
    const address = request.ip;
    const tokens = this.#knownTokens();
    if (this.#isOpen) {
      const role = isLoopback(address) ? 'operator' : 'anonymous';
      return { role, by: `${role}@${address}`, limitKey: addressKey(address) };
    }
    const presented = bearer(request);
    const found = presented === null ? null : findToken(tokens, presented);
    if (found === null)
      return { role: 'anonymous', by: `anonymous@${address}`, limitKey: addressKey(address) };
    const { role, who, digest } = found;
    return { role, by: `${who}@${address}`, limitKey: { kind: 'token', key: digest.toString('hex') } };
  }

  /** Throws the 401 or 403 of a request that `caller` may not make. */
  authorize(request: FastifyRequest, caller: Caller): void {
    const path = request.url.split('?', 1)[0]!;
    if ((OPEN_PATHS.has(path) || path.startsWith(OPEN_FOLDER)) && isRead(request)) return;
    const open = this.#isOpen;
    if (caller.role === 'anonymous') {
      if (open) throw new Problem('forbidden', 'without admin.tokens the API answers only to this machine');
      throw unauthorized(bearer(request) !== null);
    }
    if (open) refuseForeignPages(request);
    else if (!isRead(request)) refuseForeignChange(request);
    if (caller.role === 'viewer' && !isRead(request)) {
      throw new Problem('forbidden', 'a viewer token may only read; this needs an operator token', {
        headers: { 'www-authenticate': 'Bearer realm="headgate", error="insufficient_scope"' },
      });
    }
  }

  /** For an answer that goes on: whether its caller still has the right by which he was let in. Costs nothing between two reloads. */
  lasting(request: FastifyRequest): () => boolean {
    let seen = this.#tokens();
    return () => {
      const tokens = this.#tokens();
      if (tokens === seen) return true;
      try {
        this.authorize(request, this.identify(request));
      } catch {
        return false;
      }
      seen = tokens;
      return true;
    };
  }

  get #isOpen(): boolean {
    return this.#tokens().length === 0;
  }

  #knownTokens(): readonly KnownToken[] {
    const tokens = this.#tokens();
    if (tokens !== this.#knownFrom) {
      this.#known = tokens.flatMap(knownToken);
      this.#knownFrom = tokens;
    }
    return this.#known;
  }
}

/** True for a method that changes nothing. */
export function isRead({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

function addressKey(ip: string): LimitKey {
  return { kind: 'address', key: callerAddress(ip) };
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

/** An entry without both is nobody's: the config does not let it through. */
function knownToken({ token, hash, role, name = '' }: AdminToken): KnownToken[] {
  const who = name === '' ? role : `${role} ${name}`;
  if (hash !== undefined) return [{ digest: digestOfHash(hash), hashed: true, role, who }];
  return token === undefined ? [] : [{ digest: digestOfToken(token), hashed: false, role, who }];
}

/**
 * Digests have one length whatever was sent, and all are compared, so the time
 * taken tells neither how much of a token was right nor which one it was.
 */
function findToken(tokens: readonly KnownToken[], presented: string): KnownToken | null {
  const digest = digestOfToken(presented);
  const drawn = isDrawnToken(presented);
  let found: KnownToken | null = null;
  for (const token of tokens) {
    const same = timingSafeEqual(token.digest, digest) && (drawn || !token.hashed);
    if (same && found === null) found = token;
  }
  return found;
}
