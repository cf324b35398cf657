import { HeadgateError } from '../../lib/errors.ts';
import { printable } from '../../telemetry/printable.ts';

/** Where the admin API is when nobody says otherwise: the default of `listen.admin`. */
const DEFAULT_URL = 'http://127.0.0.1:8080';

export interface ApiAddress {
  /** without a slash at the end; a path of a reverse proxy stays */
  readonly url: string;
  readonly token: string | null;
}

interface Given {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

/** What a header takes and an admin token is made of: visible ASCII without spaces. */
const TOKEN = /^[\x21-\x7e]+$/;

/** The server to ask, from the options or else the environment. Throws HG_USAGE, never with the token in it. */
export function apiAddress(given: Given, env: Readonly<Record<string, string | undefined>>): ApiAddress {
  const fromEnv = env['HEADGATE_URL'] || undefined;
  const text = given.url ?? fromEnv ?? DEFAULT_URL;
  const name = given.url === undefined ? 'HEADGATE_URL' : '--url';
  const token = given.token ?? (env['HEADGATE_TOKEN'] || null);
  if (token !== null && !TOKEN.test(token)) {
    const holder = given.token === undefined ? 'HEADGATE_TOKEN' : '--token';
    throw new HeadgateError(
      'HG_USAGE',
      `${holder} is no token: it is empty or has a space or a control character in it`,
    );
  }
  return { url: baseUrl(text, name), token };
}

function baseUrl(text: string, name: string): string {
  const shown = printable(text);
  const bad = (why: string): HeadgateError =>
    new HeadgateError('HG_USAGE', `${name} ${why}; expected something like ${DEFAULT_URL}`);
  // `localhost:8080` alone would parse as a URL whose scheme is `localhost`.
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null) throw bad(`${shown} is no URL`);
  if (url.username !== '' || url.password !== '') {
    throw bad('has a user or password in it, which is not used: give a token with --token or HEADGATE_TOKEN');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw bad(`${shown} is not http:// or https://`);
  if (url.search !== '' || url.hash !== '') throw bad(`${shown} has a query or fragment in it`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
