/**
 * Addresses and networks as numbers. An address arrives as text (from a
 * socket, a config file, a URL), is parsed once, and is then compared as 32-bit
 * words. IPv4 in IPv6 clothing (`::ffff:192.0.2.1`, what a dual-stack listener
 * reports) is IPv4 everywhere, so that one publisher never has two identities.
 */

/** One IPv4 word, or four IPv6 words; each an unsigned 32-bit number, network order. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly words: readonly number[];
}

/** A network: the address with every host bit zero, and how many leading bits count. */
export interface Cidr extends IpAddress {
  /** 0..32 for IPv4, 0..128 for IPv6 */
  readonly prefix: number;
  /** canonical text, `10.0.0.0/8` */
  readonly text: string;
}

export type CidrResult =
  | { readonly ok: true; readonly cidr: Cidr }
  | { readonly ok: false; readonly error: string };

/**
 * The key of everything that is not an address. All of it shares one key, so
 * that text nobody can read is limited together and never escapes a limit.
 */
export const UNKNOWN_IP_KEY = 'unknown';

/** Longer text is no address; `[0-9a-f:.]{45}` and a zone id of any sane length fit. */
const TEXT_LENGTH_MAX = 128;
const IPV6_GROUPS = 8;
const DOT = 46;
const COLON = 58;
const ZERO = 48;

function parseIpv4(text: string): number {
  let word = 0;
  let octets = 0;
  let octet = -1;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (octet < 0 || octets === 4) return -1;
      word = word * 256 + octet;
      octets++;
      octet = -1;
      continue;
    }
    const digit = code - ZERO;
    // "010" is 8 to some readers and 10 to others: refused, as inet_pton does.
    if (digit < 0 || digit > 9 || octet === 0) return -1;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return -1;
  }
  return octets === 4 ? word : -1;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** The 8 groups of 16 bits, or null. */
function parseGroups(text: string): number[] | null {
  const groups: number[] = [];
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return null;
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    const start = at;
    let group = 0;
    for (let digit = hexDigit(text.charCodeAt(at)); digit >= 0; digit = hexDigit(text.charCodeAt(at))) {
      group = group * 16 + digit;
      at++;
      if (at - start > 4) return null;
    }
    if (at === start || groups.length === IPV6_GROUPS) return null;
    if (text.charCodeAt(at) === DOT) {
      const tail = parseIpv4(text.slice(start));
      if (tail < 0) return null;
      groups.push(tail >>> 16, tail & 0xffff);
      break;
    }
    groups.push(group);
    if (at === text.length) break;
    if (text.charCodeAt(at) !== COLON) return null;
    at++;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return null;
      gap = groups.length;
      at++;
    } else if (at === text.length) return null;
  }
  return fillGap(groups, gap);
}

/** `::` stands for one zero group or more (RFC 4291, section 2.2). */
function fillGap(groups: number[], gap: number): number[] | null {
  const given = groups.length;
  const missing = IPV6_GROUPS - given;
  if (gap < 0) return missing === 0 ? groups : null;
  if (missing < 1) return null;
  for (let i = given; i < IPV6_GROUPS; i++) groups.push(0);
  for (let i = given - 1; i >= gap; i--) {
    groups[i + missing] = groups[i]!;
    groups[i] = 0;
  }
  return groups;
}

function word(groups: readonly number[], at: number): number {
  return groups[at]! * 65536 + groups[at + 1]!;
}

/**
 * Parses the text of an address: dotted IPv4, or IPv6 in every form of
 * RFC 4291 section 2.2. A zone id (`fe80::1%eth0`) names a local interface, not
 * a peer, and is left out. `::ffff:0:0/96` gives IPv4. Null when it is no address.
 */
export function parseIp(text: string): IpAddress | null {
  if (text.length > TEXT_LENGTH_MAX) return null;
  if (!text.includes(':')) {
    const word = parseIpv4(text);
    return word < 0 ? null : { family: 4, words: [word] };
  }
  const zone = text.indexOf('%');
  const g = parseGroups(zone < 0 ? text : text.slice(0, zone));
  if (g === null) return null;
  const last = word(g, 6);
  if (word(g, 0) === 0 && word(g, 2) === 0 && word(g, 4) === 0xffff) return { family: 4, words: [last] };
  return { family: 6, words: [word(g, 0), word(g, 2), word(g, 4), last] };
}

/** Canonical text: dotted IPv4, or IPv6 as RFC 5952 wants it. */
export function formatIp(address: IpAddress): string {
  return address.family === 4 ? formatIpv4(address.words[0]!) : formatIpv6(address.words, 128);
}

function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** Group `i` of an IPv6 address whose bits past `prefix` count as zero. */
function groupAt(words: readonly number[], i: number, prefix: number): number {
  const word = maskWord(words[i >> 1]!, prefix, i >> 1);
  return (i & 1) === 0 ? word >>> 16 : word & 0xffff;
}

function formatIpv6(words: readonly number[], prefix: number): string {
  let start = -1;
  let length = 1;
  for (let i = 0; i < IPV6_GROUPS; i++) {
    let end = i;
    while (end < IPV6_GROUPS && groupAt(words, end, prefix) === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    i = Math.max(i, end);
  }
  let text = '';
  for (let i = 0; i < IPV6_GROUPS; i++) {
    if (i === start) {
      text += '::';
      i += length - 1;
    } else {
      if (i > 0 && i !== start + length) text += ':';
      text += groupAt(words, i, prefix).toString(16);
    }
  }
  return text;
}

function maskWord(word: number, prefix: number, index: number): number {
  const bits = prefix - 32 * index;
  if (bits >= 32) return word;
  return bits <= 0 ? 0 : (word & (0xffffffff << (32 - bits))) >>> 0;
}

/** The address with every bit after the first `prefix` zero. */
function maskIp(address: IpAddress, prefix: number): IpAddress {
  return { family: address.family, words: address.words.map((word, i) => maskWord(word, prefix, i)) };
}

/** `ipKey` of an address already parsed. */
export function addressKey(address: IpAddress, v6Prefix: number): string {
  if (address.family === 4 || v6Prefix >= 128) return formatIp(address);
  return `${formatIpv6(address.words, v6Prefix)}/${v6Prefix}`;
}

/**
 * The key per-address limits are held on: an IPv4 address as it is
 * (`192.0.2.10`), an IPv6 address by its network (`2001:db8:0:1::/64`), because
 * one subscriber owns a whole /64 and could otherwise be 2^64 publishers.
 * `v6Prefix` is 0..128. Text that is no address gives `UNKNOWN_IP_KEY`.
 */
export function ipKey(ip: string, v6Prefix: number): string {
  const address = parseIp(ip);
  return address === null ? UNKNOWN_IP_KEY : addressKey(address, v6Prefix);
}

function parsePrefix(text: string, max: number): number {
  if (!/^(0|[1-9][0-9]{0,2})$/.test(text)) return -1;
  const prefix = Number(text);
  return prefix <= max ? prefix : -1;
}

/**
 * Parses `10.0.0.0/8`, `2001:db8::/32` or a single address (all bits count).
 * Host bits that are set are cleared: `10.1.2.3/8` is `10.0.0.0/8`. The error
 * is one sentence without the path, for a config error to end with.
 */
export function parseCidr(text: string): CidrResult {
  const slash = text.indexOf('/');
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const address = parseIp(addressText);
  if (address === null) {
    return {
      ok: false,
      error: `"${text.slice(0, TEXT_LENGTH_MAX)}" is no IP address or network (192.0.2.0/24, 2001:db8::/32)`,
    };
  }
  if (addressText.includes('%'))
    return { ok: false, error: `"${text}" has a zone id: write the address without "%..."` };
  const bits = address.family === 4 ? 32 : 128;
  // An IPv4 network written the mapped way counts its bits from the start of the IPv6 address.
  const mapped = address.family === 4 && addressText.includes(':') ? 96 : 0;
  const prefix = slash < 0 ? bits : parsePrefix(text.slice(slash + 1), bits + mapped) - mapped;
  if (prefix < 0) {
    return {
      ok: false,
      error: `"${text}" needs a prefix length of ${mapped} to ${bits + mapped} after the "/"`,
    };
  }
  const network = maskIp(address, prefix);
  return { ok: true, cidr: { ...network, prefix, text: `${formatIp(network)}/${prefix}` } };
}

/** Masked words as one map key; a number for IPv4, which needs no text. */
function networkKey(address: IpAddress, prefix: number): number | string {
  const { words } = address;
  const first = maskWord(words[0]!, prefix, 0);
  if (address.family === 4 || prefix <= 32) return first;
  return `${first},${maskWord(words[1]!, prefix, 1)},${maskWord(words[2]!, prefix, 2)},${maskWord(words[3]!, prefix, 3)}`;
}

interface PrefixLevel<T> {
  readonly prefix: number;
  readonly networks: Map<number | string, T[]>;
}

/**
 * Values filed under networks. One map per distinct prefix length, so a lookup
 * costs as many probes as there are lengths in use, however many networks.
 */
export class CidrTable<T> {
  readonly #levels: { readonly 4: PrefixLevel<T>[]; readonly 6: PrefixLevel<T>[] } = { 4: [], 6: [] };

  add(cidr: Cidr, value: T): void {
    const levels = this.#levels[cidr.family];
    let level = levels.find((candidate) => candidate.prefix === cidr.prefix);
    if (level === undefined) {
      level = { prefix: cidr.prefix, networks: new Map() };
      levels.push(level);
    }
    const key = networkKey(cidr, cidr.prefix);
    const values = level.networks.get(key);
    if (values === undefined) level.networks.set(key, [value]);
    else values.push(value);
  }

  /** True when some network holds the address. */
  has(address: IpAddress): boolean {
    for (const level of this.#levels[address.family]) {
      if (level.networks.has(networkKey(address, level.prefix))) return true;
    }
    return false;
  }

  /** Calls `visit` with the values of every network that holds the address, in no promised order. */
  visit(address: IpAddress, visit: (values: readonly T[]) => void): void {
    for (const level of this.#levels[address.family]) {
      const values = level.networks.get(networkKey(address, level.prefix));
      if (values !== undefined) visit(values);
    }
  }
}

/** Networks without values: is the address in any of them? */
export class CidrSet {
  readonly #table = new CidrTable<true>();
  /** how many networks it was made of, repeats counted */
  readonly size: number;

  constructor(cidrs: Iterable<Cidr>) {
    let size = 0;
    for (const cidr of cidrs) {
      this.#table.add(cidr, true);
      size++;
    }
    this.size = size;
  }

  has(address: IpAddress): boolean {
    return this.#table.has(address);
  }
}
