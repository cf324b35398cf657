import type { Protocol } from '../core/stream.ts';
import type { ResolvedIdentity } from './identity.ts';
import type { LiveStream, StreamIdentity } from './live-stream.ts';

/**
 * A publisher this silent, ms, may be replaced by one with the same client and
 * key: it is a ghost. An SRT stream hardly ever pauses, a TCP connection does.
 */
const GHOST_MS: Readonly<Record<Protocol, number>> = { rtmp: 3_000, rtmps: 3_000, srt: 500 };

/** The same client with the same key. */
export function isSamePublisher(
  occupant: StreamIdentity,
  { client, keyId }: Pick<ResolvedIdentity, 'client' | 'keyId'>,
): boolean {
  return occupant.client === client && occupant.keyId === keyId;
}

/**
 * Its connection is dead, and this server late to know: nothing was heard of it for a while, or its peer has gone.
 * The second matters for a throttled stream, which is heard of for as long as its buffered bytes last.
 */
export function isGhost(stream: LiveStream, now: number): boolean {
  return stream.silentMs(now) > GHOST_MS[stream.identity.protocol] || stream.connection.orphaned;
}
