import type { IncomingMessage } from 'node:http';
import { addressKey, type Cidr, CidrSet, parseIp, UNKNOWN_IP_KEY } from '../lib/ip.ts';

/**
 * Whose request it is. A header says what its writer wants, so the address is
 * that of the connection, unless the connection is from a proxy that is known
 * to be one's own: then the last address in `X-Forwarded-For` that is no such
 * proxy, which is what the outermost of them has seen.
 */
export class CallerAddress {
  readonly #proxies: CidrSet;
  readonly #ipv6Prefix: number;

  constructor(trustedProxies: readonly Cidr[], ipv6Prefix: number) {
    this.#proxies = new CidrSet(trustedProxies);
    this.#ipv6Prefix = ipv6Prefix;
  }

  /** The key that the caller's address is held on: IPv6 by its network. */
  keyOf(
    request: Pick<IncomingMessage, 'headers'> & {
      readonly socket: { readonly remoteAddress?: string | undefined };
    },
  ): string {
    const peer = parseIp(request.socket.remoteAddress ?? '');
    if (peer === null) return UNKNOWN_IP_KEY;
    let caller = peer;
    if (this.#proxies.size > 0) {
      const said = hopsOf(request.headers['x-forwarded-for']);
      while (this.#proxies.has(caller)) {
        const text = said.pop();
        const hop = text === undefined ? null : parseIp(text);
        // What a proxy of ours cannot have written is not believed: then it stands for its callers.
        if (hop === null) break;
        caller = hop;
      }
    }
    return addressKey(caller, this.#ipv6Prefix);
  }
}

/** Hops that are looked at, from the near end: nobody has more proxies, and a header may be long. */
const HOPS_MAX = 16;

/** Outermost first. Some proxies add the port. */
function hopsOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  const hops = text.split(',').slice(-HOPS_MAX);
  return hops.map((hop) =>
    hop
      .trim()
      .replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')
      .replace(/^\[(.+)\](:\d+)?$/, '$1'),
  );
}
