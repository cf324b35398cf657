/**
 * Tokens at rest. A plain SHA-256 keeps a random secret as safe as a slow hash
 * would, and costs a microsecond where a slow one would hand strangers a way
 * to spend this machine's CPU. It keeps no password safe that a person thought
 * of: who reads the file guesses a billion a second. So a hash stands only for
 * tokens of the form that `headgate token` draws, 256 random bits; anything
 * else is never compared with one, and a hash made of a weak word lets nobody
 * in. Words of one's own can be configured as they are, with a warning.
 */
import { createHash } from 'node:crypto';

/** Random bytes of a token: no search finds one of 2^256. */
export const TOKEN_BYTES = 32;

/** `hg_`, which scanners for leaked secrets can look for, and the bytes in base64url. */
const TOKEN_PREFIX = 'hg_';
const DRAWN_TOKEN = /^hg_[A-Za-z0-9_-]{43}$/;

/** The token that `bytes`, `TOKEN_BYTES` of them and random, stand for. */
export function tokenOf(bytes: Buffer): string {
  return TOKEN_PREFIX + bytes.toString('base64url');
}

/** True for what `tokenOf` makes: only such a token is looked for among hashes. */
export function isDrawnToken(token: string): boolean {
  return DRAWN_TOKEN.test(token);
}

export function digestOfToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** As it stands in `admin.tokens[].hash`. */
export function tokenHash(token: string): string {
  return `sha256:${digestOfToken(token).toString('hex')}`;
}

/** The digest in a hash that `tokenHash` wrote. */
export function digestOfHash(hash: string): Buffer {
  return Buffer.from(hash.slice(hash.indexOf(':') + 1), 'hex');
}
