import { existsSync } from 'node:fs';

/** Read when no file is named and it exists. */
const DEFAULT_CONFIG = 'config/headgate.yaml';

/** The file to read: the one that was named, or the default one if it is here; null: built-in defaults. */
export function configFile(named: string | null): string | null {
  return named ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : null);
}
