/**
 * Web pages in an operator's browser. There are no cookies, so no page of
 * another site can borrow his rights by sending him here; what is left is the
 * API without tokens, which believes whoever is on this machine, and a browser
 * is. Two things stop its pages: the Host header must name this machine (a
 * page that rebinds its own name to 127.0.0.1 still sends its own name), and
 * requests that a browser marks as coming from another site are refused (Fetch
 * Metadata, Origin). With tokens a change that is so marked is refused as
 * well: a page that got hold of a token still cannot use it from elsewhere.
 */
import type { FastifyRequest } from 'fastify';
import { parseIp } from '../lib/ip.ts';
import { Problem } from './problem.ts';

/** Throws the 403 of a request to an API without tokens that a page from elsewhere may have made. */
export function refuseForeignPages(request: FastifyRequest): void {
  const host = request.headers.host ?? '';
  if (!namesThisMachine(host)) {
    throw new Problem(
      'forbidden',
      'without admin.tokens the API answers only to localhost, 127.0.0.1 or [::1] as Host; configure a token to use another name',
    );
  }
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const navigates = request.headers['sec-fetch-mode'] === 'navigate' && reads;
  const site = request.headers['sec-fetch-site'];
  if (!isOwnSite(site) && !navigates) throw crossSite();
  const { origin } = request.headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) throw crossSite();
}

/**
 * Throws the 403 of a change, with whatever token, that a page from elsewhere
 * made. What the browser says of the site goes before the names: a proxy in
 * front may have changed Host, and answers to https.
 */
export function refuseForeignChange(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  if (!isOwnSite(site)) throw crossSite();
  const { origin, host = '' } = request.headers;
  if (site === undefined && origin !== undefined && hostOf(origin) !== host.toLowerCase()) throw crossSite();
}

/** `undefined` is no browser, or one too old to say; `none` is the address bar. */
function isOwnSite(site: string | string[] | undefined): boolean {
  return site === undefined || site === 'same-origin' || site === 'none';
}

/** `cam.example:8080` of `https://cam.example:8080`; null for `null`, the origin of sandboxed pages. */
function hostOf(origin: string): string | null {
  return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1] ?? null;
}

function crossSite(): Problem {
  return new Problem('forbidden', 'the API refuses requests that come from the page of another web site');
}

function namesThisMachine(host: string): boolean {
  const name = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(host.toLowerCase());
  if (name === null) return false;
  const bare = name[1] ?? name[2]!;
  return bare === 'localhost' || bare.endsWith('.localhost') || isLoopback(bare);
}

/** True for 127.0.0.0/8, ::1, and IPv4 loopback in IPv6 clothing. */
export function isLoopback(text: string): boolean {
  const address = parseIp(text);
  if (address === null) return false;
  return address.family === 4
    ? address.words[0]! >>> 24 === 127
    : address.words.every((word, index) => word === (index === 3 ? 1 : 0));
}
