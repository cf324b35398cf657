import type { PlayRefusal } from './playback.ts';

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
  text: 'headgate: publishing over HTTP is not accepted; use rtmp:// or srt://',
  headers: { Allow: 'GET, HEAD, OPTIONS' },
};

export const NO_SUCH_PATH: Answer = {
  status: 404,
  text: 'headgate: streams are played at /APP/NAME.flv, and those that come over SRT at /APP/NAME.ts too, where each name holds letters, digits, "_" and "-"',
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

/** @param path a path that matched, so it is safe to echo */
export function answerTo(refusal: PlayRefusal, path: string): Answer {
  const notHere = (text: string): Answer => ({ status: 404, text: `headgate: ${text}`, headers: {} });
  switch (refusal) {
    case 'not_published':
      return notHere(`nobody publishes ${path} now`);
    case 'not_as_messages':
      return notHere(`the codecs of ${path} cannot be played as FLV or over RTMP; use ${path}.ts`);
    case 'not_as_packets':
      return notHere(`${path} comes over RTMP and is not played as MPEG-TS; use ${path}.flv`);
    case 'full':
      return TOO_MANY_PLAYERS;
  }
}

/** The same for a WebSocket: what finds nobody is most often an encoder that tries to push. */
export function answerToUpgrade(refusal: PlayRefusal, path: string): Answer {
  const answer = answerTo(refusal, path);
  if (refusal !== 'not_published') return answer;
  return {
    ...answer,
    text: `${answer.text}; publishing over WebSocket is not accepted, use rtmp:// or srt://`,
  };
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

/** `/APP/NAME.flv` or `.ts`, compared with the path as it was sent: an escaped character matches nothing. */
const HTTP_PATH = /^(\/[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+)\.(flv|ts)$/;
const WEBSOCKET_PATH = /^(\/[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+)(?:\.flv)?$/;

/** What a stream is asked for as. */
export type Container = 'flv' | 'ts';

/** The stream and the container that an HTTP request names, or null. */
export function playedOf(url: string): { readonly path: string; readonly container: Container } | null {
  const [, path, container] = HTTP_PATH.exec(withoutQuery(url)) ?? [];
  return path === undefined ? null : { path, container: container as Container };
}

/** The stream path that a WebSocket request names, or null. */
export function streamPathOf(url: string): string | null {
  return WEBSOCKET_PATH.exec(withoutQuery(url))?.[1] ?? null;
}

function withoutQuery(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
