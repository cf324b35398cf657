import { isDeepStrictEqual } from 'node:util';
import { defaultConfig } from '../config/schema.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Ingest } from './ingest.ts';

/**
 * Opens the SRT listeners, if the config has any. Throws HG_LISTEN, and
 * HG_SRT_MISSING where this machine has no libsrt, unless SRT is only there by
 * default: then its absence is a warning, and RTMP is served all the same.
 */
export async function openSrt(
  ingest: Ingest,
  logger: Logger,
): Promise<{ host: string; port: number }[] | null> {
  const { srt } = ingest.config.listen;
  if (srt === null || srt.length === 0) return null;
  const { available, reason } = ingest.srt.addon();
  if (!available && isDeepStrictEqual(srt, defaultConfig().listen.srt)) {
    logger.warn(`SRT is off: ${reason}`);
    return null;
  }
  return ingest.srt.listen();
}
