import { isDeepStrictEqual } from 'node:util';
import { summary } from './mask.ts';
import type { Config } from './schema.ts';
import { isRecord, valueAt } from './settings.ts';
import { showPath, staticLeaves } from './tree.ts';

/** What a reload changes, and which of it has to wait for a restart. */

type ConfigSection = keyof Config;

/** Keys that are read once at the start: sockets and the log are opened by them, and addresses grouped. */
const RESTART_KEYS: ReadonlySet<string> = new Set([
  'node.id',
  'listen.rtmp',
  'listen.rtmps',
  'listen.srt',
  'listen.playback',
  'listen.admin',
  'limits.ip.ipv6_prefix',
  'logging.pretty',
]);

interface ConfigChange {
  readonly path: string;
  /** in words of the config, secrets left out */
  readonly from: string;
  readonly to: string;
  readonly restart: boolean;
}

export interface ConfigDiff {
  /** top-level sections with any change, in the order of the schema */
  readonly sections: readonly ConfigSection[];
  readonly changes: readonly ConfigChange[];
}

/** Compares two configs key by key; lists and maps count as one key. */
export function diffConfig(before: Config, after: Config): ConfigDiff {
  const sections = new Set<ConfigSection>();
  const changes: ConfigChange[] = [];
  for (const { path, node } of staticLeaves()) {
    const from = valueAt(before, path);
    const to = valueAt(after, path);
    if (isDeepStrictEqual(from, to)) continue;
    sections.add(path[0] as ConfigSection);
    const shown = showPath(path);
    changes.push({
      path: shown,
      from: summary(from, node),
      to: summary(to, node),
      restart: RESTART_KEYS.has(shown) && !isDeepStrictEqual(to, keptWithoutRestart(shown, before, after)),
    });
  }
  return { sections: [...sections], changes };
}

/**
 * What of a new config comes into force without a restart: keys that need one
 * keep their running values, so that what is in force and what is shown agree,
 * and the next reload reminds of what still waits.
 */
export function withoutRestart(running: Config, next: Config): Config {
  let config: unknown = next;
  for (const key of RESTART_KEYS) {
    config = replaced(config, key.split('.'), keptWithoutRestart(key, running, next));
  }
  return config as Config;
}

/** The value in force of a key that needs a restart; of SRT listeners the passphrases need none. */
function keptWithoutRestart(key: string, running: Config, next: Config): unknown {
  if (key !== 'listen.srt') return valueAt(running, key.split('.'));
  const offered = next.listen.srt ?? [];
  const kept = running.listen.srt?.map((listener) => {
    const same = offered.find(({ host, port }) => host === listener.host && port === listener.port);
    return Object.freeze({ ...listener, passphrase: (same ?? listener).passphrase });
  });
  return kept === undefined ? null : Object.freeze(kept);
}

function replaced(section: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  if (!isRecord(section)) return section;
  return Object.freeze({ ...section, [step]: replaced(section[step], rest, value) });
}

/** One line per change for the log: `limits.stream.max_bitrate: 6Mbps -> 4Mbps`. */
export function formatChange({ path, from, to, restart }: ConfigChange): string {
  const what = from === to ? `${path}: changed` : `${path}: ${from} -> ${to}`;
  return restart ? `${what} (takes effect after a restart)` : what;
}
