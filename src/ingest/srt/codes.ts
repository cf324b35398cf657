import type { Reason } from '../../core/reasons.ts';

/**
 * What an SRT caller is told that is refused: a code of the SRT Access Control
 * guidelines (access_control.h of libsrt; on the wire 1000 more). Most callers
 * print no more than "rejected", so the receipt is where people look.
 */
export const SRT_CODE = {
  BAD_REQUEST: 1400,
  UNAUTHORIZED: 1401,
  OVERLOAD: 1402,
  FORBIDDEN: 1403,
  NOT_FOUND: 1404,
  CONFLICT: 1409,
  UNAVAILABLE: 1503,
} as const;

/** Limits and resources are all one code: `OVERLOAD` is "too heavily loaded, or exceeded credits". */
const CODE_OF: Partial<Record<Reason, number>> = {
  auth_failed: SRT_CODE.UNAUTHORIZED,
  cooldown: SRT_CODE.FORBIDDEN,
  denied: SRT_CODE.FORBIDDEN,
  stream_duplicate: SRT_CODE.CONFLICT,
  protocol_error: SRT_CODE.BAD_REQUEST,
  draining: SRT_CODE.UNAVAILABLE,
};

export function codeOf(reason: Reason): number {
  return CODE_OF[reason] ?? SRT_CODE.OVERLOAD;
}

const NAME_MEANS = '1 to 128 letters, digits, _ or -';

/** By the names of native/srt_stream_id.h. */
const STREAM_ID_PROBLEMS: Readonly<Record<string, string>> = {
  empty: 'it has none',
  too_long: 'it is longer than 512 bytes',
  bad_byte: 'it holds something else than printable ASCII',
  unknown_form: 'it begins with # and not with #!::',
  bad_pair: 'a part of it is not key=value',
  repeated_pair: 'a key stands in it twice',
  no_resource: 'it names no resource (r=app/name)',
  bad_path: 'its resource is not app/name',
  bad_app: `its application must be ${NAME_MEANS}`,
  bad_name: `its stream name must be ${NAME_MEANS}`,
  bad_mode: 'its mode (m=) is neither publish nor request',
  bidirectional: 'it asks for m=bidirectional; publish and play on two connections',
  bad_type: 'its type (t=) is not stream',
};

/** Ends every sentence about a stream id: something to copy. */
const EXAMPLE = 'write streamid=#!::r=live/cam1,m=publish';

/** What to tell about a stream id that cannot be used; `problem` is one of the names, or already words. */
export function streamIdDetail(problem: string): string {
  const words = STREAM_ID_PROBLEMS[problem] ?? problem;
  return `the stream id cannot be used: ${words}; ${EXAMPLE}`;
}

/** What to tell a caller that asks to play what nobody publishes: often it forgot to say that it publishes. */
export function nothingToPlayDetail(path: string): string {
  const what = path === '' ? 'something' : path;
  return `it asks to play ${what}, which nobody publishes; to publish, the stream id must say so: ${EXAMPLE}`;
}

/** What to tell a caller that asks to play a stream that does not come as MPEG-TS. */
export function notAsPacketsDetail(path: string): string {
  return `${path} comes over RTMP and is not played over SRT; play it over RTMP or at ${path}.flv`;
}
