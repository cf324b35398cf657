import { ON_EXCEED } from '../core/limits.ts';

/** The limits of a live stream that `headgate limit` overrides. */
export const LIMIT_NAMES = ['max_bitrate', 'max_fps', 'max_packets_per_sec', 'on_exceed', 'grace'] as const;

/** The value that takes an override back. */
export const AS_CONFIGURED = 'config';

/** What a change begins with, or is: values of one's own have to be typed. */
export const LIMIT_WORDS: readonly string[] = LIMIT_NAMES.flatMap((name) => [
  ...(name === 'on_exceed' ? ON_EXCEED.map((word) => `${name}=${word}`) : [`${name}=`]),
  `${name}=${AS_CONFIGURED}`,
]);
