import type { LiveStream } from './live-stream.ts';

/**
 * Whose place a publisher of this priority may take: of the streams of the
 * lowest priority below its own the newest, which has been watched for the
 * shortest time. Null when there is none; equals never push each other out.
 */
export function weakerThan(priority: number, streams: Iterable<LiveStream>): LiveStream | null {
  let weakest: LiveStream | null = null;
  for (const stream of streams) {
    if (stream.priority >= priority || stream.exempt) continue;
    // They come oldest first.
    if (weakest === null || stream.priority <= weakest.priority) weakest = stream;
  }
  return weakest;
}
