/**
 * What the playback port says over HTTP when it does not play: one line of
 * plain text each, for people with a player or curl in front of them.
 */

/** Any web page may embed a player; nothing here depends on cookies. */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Max-Age': '86400',
};

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const PUBLISHING_REFUSED: Answer = {
  status: 405,
  text: 'headgate: publishing over HTTP is not accepted; use rtmp://',
  headers: { Allow: 'GET, HEAD, OPTIONS' },
};

export const NO_SUCH_PATH: Answer = {
  status: 404,
  text: 'headgate: streams are played at /APP/NAME.flv, where each name holds letters, digits, "_" and "-"',
  headers: {},
};

export const TOO_MANY_PLAYERS: Answer = {
  status: 503,
  text: 'headgate: too many players; try again later',
  headers: { 'Retry-After': '10' },
};

export const NOT_A_WEBSOCKET: Answer = {
  status: 400,
  text: 'headgate: the only upgrade offered here is WebSocket',
  headers: {},
};

/** To a WebSocket that found nobody: most often an encoder that tries to push. */
export function notPublishedForUpgrade(path: string): Answer {
  const { text, ...answer } = notPublished(path);
  return { ...answer, text: `${text}; publishing over WebSocket is not accepted, use rtmp://` };
}

/** @param path a path that matched, so it is safe to echo */
export function notPublished(path: string): Answer {
  return { status: 404, text: `headgate: nobody publishes ${path} now`, headers: {} };
}

/** The headers of an answer with its body; the connection ends after it. */
export function headersOf(answer: Answer): Record<string, string> {
  return {
    ...CORS_HEADERS,
    ...answer.headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(answer.text) + 1),
    Connection: 'close',
  };
}

/** The whole answer as bytes, for a socket that has no response object. */
export function rawAnswer(answer: Answer, statusText: string): string {
  const lines = Object.entries(headersOf(answer)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${answer.status} ${statusText}\r\n${lines.join('')}\r\n${answer.text}\n`;
}

/** `/APP/NAME.flv`, compared with the path as it was sent: an escaped character matches nothing. */
const HTTP_PATH = /^(\/[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+)\.flv$/;
const WEBSOCKET_PATH = /^(\/[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+)(?:\.flv)?$/;

/** The stream path a request names, or null. */
export function streamPathOf(url: string, kind: 'http' | 'websocket'): string | null {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return (kind === 'http' ? HTTP_PATH : WEBSOCKET_PATH).exec(path)?.[1] ?? null;
}
