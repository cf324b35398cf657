import { parseCidr, parseIp } from '../lib/ip.ts';
import type { Kind, Read } from './field.ts';
import { shown } from './kinds.ts';

/** Addresses in the config: where to listen, and whom networks name. */

export interface ListenAddress {
  /** an IP address without brackets, or a host name */
  readonly host: string;
  /** 0 lets the system choose a free port */
  readonly port: number;
}

const PORT_MAX = 65_535;

/** RFC 1123 host name; an underscore is tolerated because container networks use it. */
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?)*$/;

function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

function portHint(port: string): string {
  return `write 0.0.0.0:${port} to listen on every address or 127.0.0.1:${port} for this machine only`;
}

function readHost(text: string, whole: string): Read<string> {
  if (text.startsWith('[') && text.endsWith(']')) {
    const inner = text.slice(1, -1);
    const address = parseIp(inner);
    return address?.family === 6 || inner.toLowerCase().startsWith('::ffff:')
      ? { ok: true, value: inner }
      : bad(`"${whole}" has no IPv6 address in its brackets`);
  }
  if (text.includes(':'))
    return bad(`"${whole}" has an IPv6 address without brackets; write "[::1]:1935", in quotes`);
  if (/^[0-9.]+$/.test(text) && parseIp(text) === null) return bad(`"${whole}" has no valid IPv4 address`);
  return HOST_NAME.test(text)
    ? { ok: true, value: text }
    : bad(`"${whole}" has no valid host name or address`);
}

/** Reads `host:port` or `[ipv6]:port`. A port alone is refused: whom it is open to must be said. */
export function parseListenAddress(input: unknown): Read<ListenAddress> {
  if (input === undefined) return bad('is missing');
  if (typeof input === 'number')
    return bad(`${input} is a port without an address; ${portHint(String(input))}`);
  if (typeof input !== 'string')
    return bad(`${shown(input)} is not an address; expected one such as 0.0.0.0:1935`);
  if (/^:?[0-9]+$/.test(input)) {
    const port = input.replace(':', '');
    return bad(`"${input}" is a port without an address; ${portHint(port)}`);
  }
  const match = /^(.*):([0-9]{1,9})$/.exec(input);
  if (match === null) {
    const bare = input.replace(/^\[|\]$/g, '');
    const example = bare.includes(':') ? `"[${bare}]:1935"` : `${bare}:1935`;
    return bad(`"${shown(input)}" has no port; write it as ${/\s/.test(bare) ? '0.0.0.0:1935' : example}`);
  }
  const [, hostText = '', portText = ''] = match;
  const port = Number(portText);
  if (port > PORT_MAX) return bad(`"${input}" has port ${portText}; ports go up to ${PORT_MAX}`);
  if (hostText === '*') return bad(`"${input}" has * for an address; ${portHint(portText)}`);
  const host = readHost(hostText, input);
  return host.ok ? { ok: true, value: { host: host.value, port } } : host;
}

/** `127.0.0.1:8080`, `[::1]:8080` */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function listenAddress(): Kind<ListenAddress> {
  return {
    text: true,
    read: parseListenAddress,
    write: formatListenAddress,
    json: { type: 'string', pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$' },
  };
}

/** True when only this machine can reach it: 127.0.0.0/8, ::1, localhost. */
export function isLoopback({ host }: ListenAddress): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const address = parseIp(host);
  if (address === null) return false;
  if (address.family === 4) return address.words[0]! >>> 24 === 127;
  return address.words.every((word, i) => word === (i === 3 ? 1 : 0));
}

function isWildcard(host: string): boolean {
  return parseIp(host)?.words.every((word) => word === 0) === true;
}

/** True when the second of two listeners could not be opened: same port, and one address covers the other. */
export function collide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port === 0 || a.port !== b.port) return false;
  return a.host.toLowerCase() === b.host.toLowerCase() || isWildcard(a.host) || isWildcard(b.host);
}

/** A network or a single address, kept in canonical text: `10.1.2.3/8` becomes `10.0.0.0/8`. */
export function network(): Kind<string> {
  return {
    text: true,
    read(input): Read<string> {
      if (typeof input !== 'string') {
        return bad(`${shown(input)} is not a network; expected one such as 192.0.2.0/24 or "2001:db8::/32"`);
      }
      const parsed = parseCidr(input);
      return parsed.ok ? { ok: true, value: parsed.cidr.text } : bad(parsed.error);
    },
    write: (value) => value,
    json: { type: 'string', examples: ['192.0.2.0/24', '203.0.113.7', '2001:db8::/32'] },
  };
}
